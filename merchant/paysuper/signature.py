"""The signature of PaySuper's webhooks (contract §13.3)."""

import hashlib
import hmac

_SCHEME = "Signature "


def sign(body: bytes, secret: str) -> str:
    """The value of the Authorization header for these exact bytes.

    SHA-256 over the body followed by the project's secret, as lower-case hex. No HMAC, no separator.
    """
    return _SCHEME + hashlib.sha256(body + secret.encode()).hexdigest()


def is_valid(body: bytes, header: str, secret: str) -> bool:
    """Whether `header` signs these bytes with this secret. Constant time; an empty secret never signs."""
    if not secret:
        return False
    return hmac.compare_digest(sign(body, secret).encode(), header.encode(errors="replace"))
