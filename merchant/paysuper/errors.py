"""What can go wrong on the line to PaySuper, sorted by what the caller may do next.

PaySuperError
├── NotSent      the request surely had no effect: it may be sent again
├── NoAnswer     sent, but the outcome is unknown: look before asking again
├── Refused      PaySuper understood and said no: tell the user
├── NotFound     no such object, or not visible to this token
├── NotAllowed   credentials or role: try later, then ask a person (contract §2)
└── Unexpected   an answer outside the contract: a bug, theirs or ours
"""

# PaySuper stored the refund but cannot say what became of it (contract §3, §7.2).
OUTCOME_UNKNOWN_CODES = frozenset({"fm000025"})


class PaySuperError(Exception):
    """Base of everything this package raises.

    `status` is the HTTP status (None without an answer), `code` PaySuper's own code ("" if none).
    Decide on these two, never on the text (contract §3).
    """

    def __init__(
        self, message: str, *, status: int | None = None, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class NotSent(PaySuperError):
    """The request had no effect (no connection, or turned away before the handler)."""


class NoAnswer(PaySuperError):
    """The request was sent and its outcome is not known."""


class Refused(PaySuperError):
    """PaySuper decided against the request."""


class NotFound(PaySuperError):
    """The object does not exist or is not visible to this token."""


class NotAllowed(PaySuperError):
    """The token or its role was turned away. Not proof that the token is dead (contract §2)."""


class Unexpected(PaySuperError):
    """An answer that the contract does not know."""


_KIND_BY_STATUS: dict[int, type[PaySuperError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    405: Unexpected,
    408: NoAnswer,
    429: NotSent,
}


def error_for(status: int, code: str, message: str, *, retry_after: float | None = None) -> PaySuperError:
    """The leaf for an answer that is not a success (contract §3, §7.7)."""
    if code in OUTCOME_UNKNOWN_CODES or status >= 500:  # noqa: PLR2004
        kind: type[PaySuperError] = NoAnswer
    else:
        kind = _KIND_BY_STATUS.get(status, Refused if 400 <= status < 500 else Unexpected)  # noqa: PLR2004
    text = f"PaySuper answered {status} {code} {message}".strip()
    return kind(text, status=status, code=code, retry_after=retry_after)
