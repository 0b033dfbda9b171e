"""Answers in the two body shapes of PaySuper, and the codes of refusals (contract §3)."""

from collections.abc import Iterable

from msgspec import Struct

from merchant.paysuper.sandbox.gojson import encode

JSON = "application/json; charset=UTF-8"

_ERRORS = {
    "fm000021": (404, "no such order"),
    "fm000025": (400, "refund could not be stored"),
    "kp000017": (400, "no such key product"),
    "ks000006": (400, "no key left"),
    "kp000019": (400, "order has not been paid"),
    "ma000002": (400, "request did not pass validation"),
    "ma000003": (500, "internal failure"),
    "ma000023": (400, "request cannot be read"),
    "ma000111": (400, "date filter cannot be read"),
    "pd000002": (404, "no such product"),
    "pd000008": (400, "product of another merchant"),
    "pr000002": (404, "no such project"),
    "rf000001": (400, "payment system refused the refund"),
    "rf000002": (400, "status of the order does not allow a refund"),
    "rf000003": (400, "order is refunded already"),
    "rf000004": (400, "existing refunds leave nothing to refund"),
    "rf000005": (404, "no such order or refund"),
    "rf000006": (400, "order of another merchant"),
    "rf000007": (400, "no refund tariff"),
    "rp000001": (500, "query failed"),
    "wh000001": (400, "unknown product type"),
}


class Answer(Struct, frozen=True):
    """Status and exact bytes of an answer; `chunks` instead of `body` are sent as they come."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = {}
    chunks: Iterable[bytes] | None = None


class Refusal(Exception):
    """Ends the handling of a request with a code (contract §3)."""

    def __init__(self, code: str, field: str = "", rule: str = "", *, status: int = 0) -> None:
        super().__init__(code)
        self.code, self.status = code, status
        self.details = f"field '{field}' did not pass the '{rule}' rule" if field else ""

    def answer(self) -> Answer:
        """The body with `code`; blank details are left out."""
        usual_status, message = _ERRORS[self.code]
        document = {"code": self.code, "message": message}
        if self.details:
            document["details"] = self.details
        return ok(document, self.status or usual_status)


def ok(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A JSON answer, with the newline that the framework adds (contract §1)."""
    return Answer(status, encode(document) + b"\n", headers or {})


def plain(status: int, message: str) -> Answer:
    """The framework's body without a code: 401, 403, unknown paths (contract §3)."""
    return ok({"message": message}, status)
