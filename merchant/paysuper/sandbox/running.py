"""A sandbox that can be started and stopped, in the process of a test or of the command."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec
from msgspec import Struct

from merchant.paysuper.sandbox.delivery import Delivery
from merchant.paysuper.sandbox.faults import ApiFaults, WebhookFaults
from merchant.paysuper.sandbox.generation import History, generate
from merchant.paysuper.sandbox.journal import Journal
from merchant.paysuper.sandbox.payments import Payments
from merchant.paysuper.sandbox.refunding import Refunds
from merchant.paysuper.sandbox.server import Server, listen
from merchant.paysuper.sandbox.store import Store, now_ms
from merchant.paysuper.sandbox.timetable import Timetable
from merchant.paysuper.sandbox.tokens import Tokens
from merchant.paysuper.sandbox.world import Tally, World

_OLD = 2019


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be chosen; times in seconds, `until` in milliseconds since 1970 (0: now)."""

    host: str = "127.0.0.1"
    port: int = 0
    orders: int = 200
    seed: int = 1
    days: int = 90
    until: int = 0
    state: str = ""
    refund_delay: float = 3
    webhook_url: str = ""
    webhook_retry_interval: float = 600
    payments_per_minute: float = 0
    generation: Literal[2021, 2019] = 2021
    token_life: float = 0


class Sandbox:
    """A PaySuper to try and test against: `with Sandbox(orders=200, seed=1) as sandbox: sandbox.url`."""

    def __init__(self, **options: object) -> None:
        self.options = msgspec.convert(options, Options)
        self.history = self._wanted()
        self._server: Server | None = None
        self._world: World | None = None
        self._timetable: Timetable | None = None

    @staticmethod
    def option_names() -> tuple[str, ...]:
        """The names that the constructor takes."""
        return Options.__struct_fields__

    def _wanted(self) -> History:
        chosen = self.options
        return History(
            seed=chosen.seed, orders=chosen.orders, days=chosen.days, until=chosen.until or now_ms()
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the running sandbox."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def world(self) -> World:
        """The parts of the running sandbox, for tests that look inside."""
        if self._world is None:
            raise RuntimeError("the sandbox is not running")
        return self._world

    def start(self) -> None:
        """Takes the port first, so that a busy one is reported before any work is done."""
        self._server = listen(self.options.host, self.options.port)
        try:
            self._world = self._build()
        except BaseException:
            self._server.server_close()
            raise
        self._world.delivery.resume()
        self._world.refunds.resume()
        self._world.payments.resume()
        self._world.payments.arrivals(self.options.payments_per_minute)
        self._server.world = self._world
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True, name="sandbox").start()

    def _build(self) -> World:
        chosen = self.options
        journal = Journal(Path(chosen.state)) if chosen.state else None
        if journal:
            self.history = journal.history(self.history)
        store = Store(generate(self.history), chosen.webhook_url, journal)
        old, webhook_faults = chosen.generation == _OLD, WebhookFaults()
        delivery = Delivery(store, webhook_faults, chosen.webhook_retry_interval, is_2019=old)
        self._timetable = Timetable("callbacks", workers=2)
        return World(
            store=store,
            delivery=delivery,
            payments=Payments(store, delivery, self._timetable),
            refunds=Refunds(store, delivery, self._timetable, chosen.refund_delay, is_2019=old),
            faults=ApiFaults(),
            webhook_faults=webhook_faults,
            tokens=Tokens(chosen.token_life),
            tally=Tally(),
            is_2019=old,
        )

    def differences(self) -> dict[str, tuple[int, int]]:
        """Options that the journal overruled: name to (asked for, in force)."""
        asked, wanted = self._wanted(), self.history
        names = ("seed", "orders", "days", *(("until",) if self.options.until else ()))
        pairs = {name: (getattr(asked, name), getattr(wanted, name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def stop(self) -> None:
        """Stops listening and everything that happens by itself; the journal keeps the rest."""
        if self._server:
            self._server.hang_up()
        if self._timetable:
            self._timetable.stop()
        if self._world:
            self._world.delivery.stop()
            self._world.store.close()
        self._server = self._world = None
