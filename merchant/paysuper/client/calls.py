"""When to ask, and when to ask again.

Reads are repeated on passing trouble. A write is sent once per call; only a 401, which never reached the
handler (contract §7.7), is answered by one more try with a renewed token.
"""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from merchant.paysuper.client.tokens import AccessToken, Tokens
from merchant.paysuper.client.wire import Answer, Patience, Wire
from merchant.paysuper.errors import NoAnswer, NotSent, PaySuperError

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Circuit(Protocol):
    """Stops a line that asks in vain. Every answer, also a refusal, is a success."""

    def allow(self, *, may_probe: bool) -> None:
        """Return when a call may be made. Raises NotSent at once while PaySuper is left alone.

        After the rest one call is let through to see how PaySuper is; only one that `may_probe`.
        """

    def success(self) -> None:
        """PaySuper answered."""

    def failure(self) -> None:
        """PaySuper did not answer a read."""


class NoCircuit:
    """A circuit that lets everything through."""

    def allow(self, *, may_probe: bool) -> None:
        """Always."""

    def success(self) -> None:
        """Forgotten."""

    def failure(self) -> None:
        """Forgotten."""


# Method, path, how it ended (a status, or the name of the error) and the seconds it took.
Witness = Callable[[str, str, str, float], None]


def unwatched(method: str, path: str, outcome: str, seconds: float) -> None:
    """Nobody wants to know."""


class Calls:
    """Reads and writes of one line. Raises nothing but PaySuperError, and what the refresh hook raises."""

    def __init__(
        self,
        wire: Wire,
        tokens: Tokens,
        *,
        circuit: Circuit,
        patience: Patience,
        witness: Witness = unwatched,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wire = wire
        self._tokens = tokens
        self._circuit = circuit
        self._patience = patience
        self._witness = witness
        self._sleep = sleep

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The document at `path`, asked for again on NotSent and NoAnswer.

        Gives up at once when PaySuper asks for a longer pause than we make (contract §20.13).
        """
        attempt = 1
        while True:
            self._circuit.allow(may_probe=True)
            try:
                return self._counted("GET", path, query=query)
            except (NotSent, NoAnswer) as error:
                self._circuit.failure()
                if attempt >= self._patience.reads or (error.retry_after or 0) > self._patience.longest_pause:
                    raise
                self._sleep(self._pause(attempt, error))
            attempt += 1

    def write(self, path: str, body: object, method: str = "POST") -> Any:
        """The answer to a write. On NoAnswer nobody knows whether it had an effect."""
        # No write finds out how PaySuper is: should it fail, its outcome would be unknown.
        self._circuit.allow(may_probe=False)
        return self._counted(method, path, content=_encode(body))

    def _counted(self, method: str, path: str, **parts: Any) -> Any:
        try:
            document = self._document(method, path, **parts)
        except (NotSent, NoAnswer):
            raise
        except PaySuperError:
            self._circuit.success()
            raise
        self._circuit.success()
        return document

    def _document(self, method: str, path: str, **parts: Any) -> Any:
        token = self._tokens.current()
        answer = self._exchange(token, method, path, **parts)
        if answer.status == 401 and _is_before_the_handler(answer):  # noqa: PLR2004
            another = self._tokens.after_refusal(token)
            if another:
                answer = self._exchange(another, method, path, **parts)
        return answer.document()

    def _exchange(self, token: AccessToken, method: str, path: str, **parts: Any) -> Answer:
        headers = {"Authorization": f"Bearer {token.value}"}
        if parts.get("content") is not None:
            headers["Content-Type"] = "application/json"
        began = time.monotonic()
        try:
            answer = self._wire.exchange(method, path, headers=headers, **parts)
        except PaySuperError as error:
            self._witness(method, path, type(error).__name__, time.monotonic() - began)
            raise
        self._witness(method, path, str(answer.status), time.monotonic() - began)
        return answer

    def _pause(self, attempt: int, error: PaySuperError) -> float:
        backoff = self._patience.pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        return float(min(max(backoff, error.retry_after or 0), self._patience.longest_pause))


def _is_before_the_handler(answer: Answer) -> bool:
    # Any other body may be that of a proxy, of which nobody knows what it let through (contract §20.8).
    return answer.body.strip()[:1] in (b"", b"{")
