"""A request as it came over the line, and as the handlers of the API read it (contract §1)."""

import json
import re
from urllib.parse import parse_qsl

from msgspec import Struct

from merchant.paysuper.sandbox.answers import Refusal
from merchant.paysuper.sandbox.catalogue import User
from merchant.paysuper.sandbox.faults import Fault
from merchant.paysuper.sandbox.world import World

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
FORM = "application/x-www-form-urlencoded"


class Request(Struct, kw_only=True):
    """A request as it came over the line; names of headers are lower-case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""
    faults: list[Fault] = []

    @property
    def is_form(self) -> bool:
        """Whether a page of the sandbox sent it."""
        return self.headers.get("content-type", "").startswith(FORM)

    def parameters(self) -> dict[str, list[str]]:
        """The query by lower-case name: PaySuper's framework ignores case there (contract §5.1)."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            found.setdefault(name.lower(), []).append(value)
        return found

    def form(self) -> dict[str, list[str]]:
        """The fields of a posted form that were filled in."""
        fields: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.body.decode(errors="replace")):
            fields.setdefault(name, []).append(value.strip())
        return fields


class Call(Struct, kw_only=True):
    """One request: who asks, the parts of the path, parameters with lower-case names, the body."""

    world: World
    user: User
    parts: tuple[str, ...] = ()
    query: dict[str, list[str]]
    body: bytes = b""
    content_type: str = ""
    faults: list[Fault] = []

    def single(self, name: str) -> str:
        """A single parameter; blank counts as absent (contract §5.1)."""
        return self.query.get(name, [""])[0]

    def integer(self, name: str) -> int:
        """A whole number, 0 when absent; anything else cannot be read (contract §5.1)."""
        text = self.single(name) or "0"
        if not re.fullmatch(r"[+-]?\d{1,18}", text):
            raise Refusal("ma000023")
        return int(text)

    def boolean(self, name: str) -> bool:
        """A boolean in Go's spellings, false when absent."""
        text = self.single(name)
        if text not in ("", "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"):
            raise Refusal("ma000023")
        return text[:1] in ("1", "t", "T")

    def document(self) -> dict[str, object]:
        """The JSON body with lower-case names, because Go matches them in any case (contract §1)."""
        if not self.body:
            return {}
        if not self.content_type.startswith("application/json"):
            raise Refusal("ma000023")
        try:
            document = json.loads(self.body)
        except ValueError as error:
            raise Refusal("ma000023") from error
        if not isinstance(document, dict):
            raise Refusal("ma000023")
        return {str(name).lower(): value for name, value in document.items()}

    def object_id(self, field: str) -> str:
        """The last id of the path, which must be 24 hex digits."""
        if not OBJECT_ID.fullmatch(self.parts[-1]):
            raise Refusal("ma000002", field, "hexadecimal")
        return self.parts[-1].lower()

    def order_id(self) -> str:
        """The order id of the path, which must be a UUID."""
        if not UUID.fullmatch(self.parts[0]):
            raise Refusal("ma000002", "OrderId", "uuid")
        return self.parts[0].lower()


def member(document: dict[str, object], name: str, kinds: type | tuple[type, ...]) -> object:
    """A member of the right type, None when absent or null; a wrong type cannot be read (§3)."""
    value = document.get(name)
    is_number = isinstance(value, bool) and kinds is not bool
    if value is not None and (is_number or not isinstance(value, kinds)):
        raise Refusal("ma000023")
    return value
