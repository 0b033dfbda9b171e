"""The line to PaySuper of a merchant: its credentials, how they are renewed, and when it is left alone.

What all workers must know is shared: tokens in the database, the state of the line in the cache.
"""

import contextlib
import datetime as dt
import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from merchant import measures, outside, walls
from merchant.models import Merchant
from merchant.paysuper.client import AccessToken, Client, Patience, SandboxClient, renewed
from merchant.paysuper.errors import NotSent

log = structlog.get_logger()

T = TypeVar("T")
C = TypeVar("C", bound=Client)
# Nobody is served by a state that is older than this.
_FORGET_AFTER = 3600
# Longer than a call takes: a prober that has died blocks the next one no longer than this.
_PROBE_AT_MOST = 90
_AN_ID = re.compile(r"/(?=[^/]*\d)[0-9a-zA-Z_-]{16,}")


def client(merchant: Merchant, patience: Patience = Patience()) -> Client:  # noqa: B008 - frozen
    """A client with this merchant's credentials, renewed when they end and a refresh token is known."""
    return _connected(Client, merchant, patience)


def sandbox(merchant: Merchant) -> SandboxClient:
    """A client that can also ask whether a sandbox answers, and make payments there."""
    return _connected(SandboxClient, merchant, Patience())


def staff(merchant: Merchant, patience: Patience = Patience()) -> Client:  # noqa: B008 - frozen
    """A client of PaySuper's staff, for what a merchant's token may not do (contract §8.1)."""
    return _speaking(Client, merchant, merchant.staff_token, patience)


def _connected(kind: type[C], merchant: Merchant, patience: Patience) -> C:
    token = AccessToken(merchant.api_token, merchant.token_expires_at)
    renewal = Renewal(merchant) if merchant.refresh_token else None
    return _speaking(kind, merchant, token, patience, refresh=renewal)


def _speaking(
    kind: type[C], merchant: Merchant, token: str | AccessToken, patience: Patience, **named: Any
) -> C:
    """Every client to PaySuper is made here: counted, behind the circuit, and led into no private network."""
    return kind(
        merchant.api_url,
        token,
        generation=merchant.generation,
        prefix=merchant.api_prefix,
        circuit=circuit(merchant),
        patience=patience,
        witness=_count,
        transport=_outwards(),
        **named,
    )


def _outwards() -> outside.Outside | None:
    """A connection that leads into no private network, unless PaySuper itself may be there."""
    return None if settings.ALLOW_PRIVATE_PAYSUPER else outside.Outside()


def _count(method: str, path: str, outcome: str, seconds: float) -> None:
    """Every call to PaySuper is counted and logged, without the ids in its path: the log has the task's."""
    call = f"{method} {_AN_ID.sub('/*', path)}"
    log.info("paysuper_call", call=call, outcome=outcome, milliseconds=round(seconds * 1000))
    measures.observe(measures.PAYSUPER, call, outcome, seconds)


def circuit(merchant: Merchant) -> "CacheCircuit":
    """The circuit of the merchant's line. Another address is another line, of which nothing is known yet."""
    return CacheCircuit(f"{merchant.pk}:{hashlib.sha256(merchant.api_url.encode()).hexdigest()[:12]}")


def trouble(merchant: Merchant) -> str:
    """A sentence for the page while PaySuper is left alone, else ""."""
    until = circuit(merchant).rests_until()
    if until is None:
        return ""
    if until <= timezone.now():
        return "PaySuper is not answering; the next try is due."
    at = timezone.localtime(until, merchant.zone)
    return f"PaySuper is not answering; the next try is at {at:%H:%M:%S}."


@dataclass
class Renewal:
    """Renews a merchant's access token and stores what it gets. Of many workers one asks PaySuper.

    Must not run inside a transaction: a roll-back would lose a refresh token that works only once.
    """

    merchant: Merchant

    def __call__(self) -> AccessToken:
        """The new token: of our own renewal, or of a worker that was faster."""
        ours = self.merchant
        # Also in threads, which begin without a merchant.
        with walls.only(ours.pk), _own_connection_closed(), transaction.atomic(durable=True):
            # Without keys: orders that refer to the merchant can be written meanwhile.
            stored = Merchant.objects.select_for_update(no_key=True).get(pk=ours.pk)
            if stored.api_token == ours.api_token:
                _renew(stored)
        ours.api_token, ours.token_expires_at = stored.api_token, stored.token_expires_at
        ours.refresh_token = stored.refresh_token
        return AccessToken(ours.api_token, ours.token_expires_at)


@contextlib.contextmanager
def _own_connection_closed() -> Iterator[None]:
    # Pages are fetched by threads of their own, and nobody else closes what they open.
    is_ours = connection.connection is None
    try:
        yield
    finally:
        if is_ours:
            connection.close()


def _renew(merchant: Merchant) -> None:
    grant = renewed(merchant.token_url, merchant.refresh_token, transport=_outwards())
    merchant.api_token, merchant.token_expires_at = grant.access.value, grant.access.expires_at
    merchant.refresh_token = grant.refresh_token
    merchant.save(update_fields=["api_token", "token_expires_at", "refresh_token"])
    log.info("token_renewed", merchant=merchant.paysuper_id, expires_at=str(grant.access.expires_at))


@dataclass(frozen=True)
class CacheCircuit:
    """Leaves PaySuper alone after `limit` reads in a row without an answer, for all workers on this line.

    It rests `shortest` seconds, doubled after each probe in vain up to `longest`. Without a cache it lets
    everything through.
    """

    line: str
    limit: int = 5
    shortest: float = 30.0
    longest: float = 300.0

    def rests_until(self) -> dt.datetime | None:
        """The moment of the next try (UTC), which may have passed, or None when all is well."""
        state = self._state()
        return dt.datetime.fromtimestamp(state[0], dt.UTC) if state else None

    def allow(self, *, may_probe: bool) -> None:
        """Return when a call may be made. Raises NotSent while PaySuper is left alone."""
        until = self.rests_until()
        if until is None:
            return
        wait = (until - timezone.now()).total_seconds()
        if wait > 0:
            raise NotSent(
                f"PaySuper is not answering; next try at {until:%H:%M:%S} UTC", retry_after=round(wait, 1)
            )
        if not may_probe or not _kept(
            lambda: cache.add(self._key("probe"), 1, _PROBE_AT_MOST), otherwise=True
        ):
            raise NotSent("PaySuper is not answering; the next try is due")

    def success(self) -> None:
        """Forget all trouble."""
        _kept(lambda: cache.delete_many([self._key(each) for each in ("open", "failures", "probe")]))

    def failure(self) -> None:
        """Count; open after too many, and again, for longer, after a probe in vain."""
        state = self._state()
        if state is None:
            if _kept(self._count, otherwise=0) >= self.limit:
                self._open(self.shortest)
        elif state[0] <= time.time():
            self._open(min(state[1] * 2, self.longest))

    def _state(self) -> tuple[float, float] | None:
        """When it was to be tried again (seconds since 1970), after how long a rest."""
        found: tuple[float, float] | None = _kept(lambda: cache.get(self._key("open")))
        return found

    def _count(self) -> int:
        key = self._key("failures")
        cache.add(key, 0, _FORGET_AFTER)
        return int(cache.incr(key))

    def _open(self, rest: float) -> None:
        log.warning("line_rests", line=self.line, seconds=rest)
        _kept(lambda: cache.set(self._key("open"), (time.time() + rest, rest), rest + _FORGET_AFTER))
        _kept(lambda: cache.delete(self._key("probe")))

    def _key(self, name: str) -> str:
        return f"line:{self.line}:{name}"


def _kept(do: Callable[[], T], otherwise: Any = None) -> Any:
    """What the cache says, or `otherwise` when it is out of order: it must not stop the line."""
    try:
        return do()
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own
        log.warning("cache_failed", error=type(error).__name__)
        return otherwise
