"""What the tests of the sync share: a PaySuper to change and to break, and the mirror in short."""

import contextlib
from collections.abc import Iterator
from uuid import UUID

import httpx2
import pytest

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import Patience
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import LANTERN, connect
from tests.merchant.sandbox_client import OWNER
from transactions.models import Transaction

IMPATIENT = Patience(reads=1)
LIST = "^/admin/api/v1/order$"


def pay(paysuper: Sandbox, **wish: object) -> UUID:
    answer = httpx2.post(f"{paysuper.url}/sandbox/payments", json=wish)
    return UUID(answer.json()["uuid"])


def charge_back(paysuper: Sandbox, uuid: UUID) -> None:
    assert httpx2.post(f"{paysuper.url}/sandbox/orders/{uuid}/chargeback").status_code == 200


def fault(paysuper: Sandbox, **what: object) -> None:
    assert httpx2.post(f"{paysuper.url}/sandbox/faults", json=what).status_code == 200


def heal(paysuper: Sandbox) -> None:
    httpx2.delete(f"{paysuper.url}/sandbox/faults")


def asked(paysuper: Sandbox, path: str, method: str = "") -> int:
    """How often PaySuper was asked for what this pattern describes."""
    wanted = {"path": path} | ({"method": method} if method else {})
    return httpx2.get(f"{paysuper.url}/sandbox/requests", params=wanted).json()["count"]


def mirror() -> dict[UUID, str]:
    return dict(Transaction.objects.values_list("uuid", "status"))


@contextlib.contextmanager
def sandbox(**options: object) -> Iterator[tuple[Sandbox, Merchant]]:
    """A PaySuper of another size, and Lantern Works at it."""
    with Sandbox(**({"seed": 5, "refund_delay": 0.05, "webhook_url": ""} | options)) as paysuper:
        yield paysuper, connect(LANTERN, "Lantern Works GmbH", paysuper.url, OWNER)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits seven seconds for a server that the test itself has stopped."""
    monkeypatch.setattr(line.client, "__defaults__", (IMPATIENT,))
