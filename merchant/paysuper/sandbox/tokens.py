"""Access tokens that can expire and refresh tokens that replace them (contract §2)."""

import secrets
import threading
import time

from msgspec import Struct

from merchant.paysuper.sandbox.catalogue import TOKENS, User

# What `expires_in` says when access tokens never expire: ten years.
NEVER = 315_360_000
REFRESH_TOKENS = {f"{token.removesuffix('token')}refresh-token": user for token, user in TOKENS.items()}


class _Issued(Struct, frozen=True):
    user: User
    until: float


class Tokens:
    """The fixed tokens of the catalogue and those that were issued since the start."""

    def __init__(self, life: float) -> None:
        self.life = life or NEVER
        self._lock = threading.Lock()
        self._known = self._fixed()

    @staticmethod
    def _fixed() -> dict[str, _Issued]:
        return {token: _Issued(user, float("inf")) for token, user in TOKENS.items()}

    def user(self, token: str) -> User | None:
        """Whose token it is, None when it is unknown or has expired."""
        issued = self._known.get(token)
        return issued.user if issued and time.monotonic() < issued.until else None

    def issue(self, refresh_token: str) -> str | None:
        """A new access token, None when the refresh token is not known."""
        user = REFRESH_TOKENS.get(refresh_token)
        if user is None:
            return None
        token = f"sandbox-access-{secrets.token_hex(16)}"
        with self._lock:
            self._known[token] = _Issued(user, time.monotonic() + self.life)
        return token

    def expire(self, token: str) -> int:
        """Ends one access token, or all of them when it is blank; how many there were."""
        with self._lock:
            ended = [known for known in self._known if token in ("", known)]
            for known in ended:
                del self._known[known]
        return len(ended)

    def restore(self) -> None:
        """The fixed tokens are good again."""
        with self._lock:
            self._known |= self._fixed()
