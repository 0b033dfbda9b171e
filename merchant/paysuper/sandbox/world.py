"""What a request can reach, and what a request is."""

import json
import re
import threading
from collections import Counter

from msgspec import Struct

from merchant.paysuper.sandbox.answers import Refusal
from merchant.paysuper.sandbox.business import Business
from merchant.paysuper.sandbox.catalogue import User
from merchant.paysuper.sandbox.delivery import Delivery
from merchant.paysuper.sandbox.faults import ApiFaults, Fault, WebhookFaults
from merchant.paysuper.sandbox.store import Store

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")


class Tally:
    """Counts every API request that came in, so that a test can prove a POST was sent once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, method: str, path: str) -> None:
        """One request more."""
        with self._lock:
            self._counts[method, path] += 1

    def matching(self, path: str, method: str = "") -> list[dict[str, object]]:
        """The counts by method and path, for paths that the pattern finds."""
        with self._lock:
            return [
                {"method": verb, "path": found, "count": count}
                for (verb, found), count in self._counts.items()
                if re.search(path, found) and method in ("", verb)
            ]


class World(Struct, eq=False):
    """All parts of one running sandbox."""

    store: Store
    delivery: Delivery
    business: Business
    faults: ApiFaults
    webhook_faults: WebhookFaults
    tally: Tally


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


def member(document: dict[str, object], name: str, kinds: type | tuple[type, ...]) -> object:
    """A member of the right type, None when absent or null; a wrong type cannot be read (§3)."""
    value = document.get(name)
    is_number = isinstance(value, bool) and kinds is not bool
    if value is not None and (is_number or not isinstance(value, kinds)):
        raise Refusal("ma000023")
    return value
