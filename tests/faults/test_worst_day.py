"""After the worst of days: no refund went out twice, none was forgotten, no webhook was lost."""

from collections.abc import Iterator

import pytest

from tests.faults import proofs
from tests.faults.installation import Installation, running
from tests.faults.worst_day import come_to_rest, worst_day


@pytest.fixture
def installation() -> Iterator[Installation]:
    with running() as installation:
        yield installation


def test_when_everything_dies_money_moves_once_and_nothing_is_lost(installation: Installation) -> None:
    day = worst_day(installation, orders=50, clicks=200, seconds=15, seed=7)
    come_to_rest(installation, patience=150)
    figures = proofs.all_holds(installation, day.orders)
    print(figures, day.killed)
    assert figures["refunds asked for"] > len(day.orders) / 2, "hardly anybody got to click"
    assert figures["refunded once"] > 0
