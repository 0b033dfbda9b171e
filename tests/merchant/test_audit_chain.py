"""Whatever is done to the audit behind the product's back, by whoever may do anything, is found."""

import io
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from merchant import audit, setup
from merchant.audit import chain
from merchant.models import AuditEvent, AuditHead, Merchant
from tests.conftest import LANTERN

pytestmark = pytest.mark.django_db(transaction=True)
NEW_USER = (
    "INSERT INTO merchant_user (email, password, is_superuser, is_staff, is_active, first_name, last_name, "
    "date_joined) VALUES ('x@example.com', '', false, false, true, '', '', now())"
)
ROW = "merchant_id, event, subject, data, at, request_id, number, previous_hash, hash"


@pytest.fixture
def merchant(db: None) -> Merchant:
    """Somebody with five entries in the audit; another merchant has two."""
    mine, other = (_connected(LANTERN), _connected("5f8a1c0e9b3d4e0001a7c900"))
    for number in range(5):
        audit.record(mine, None, "thing.changed", number, before={"a": number}, after={"a": number + 1})
    for number in range(2):
        audit.record(other, None, "thing.changed", number)
    return mine


def _connected(paysuper_id: str) -> Merchant:
    line = {"api_url": "https://api.example", "api_token": "t", "time_zone": "UTC", "currency": "EUR"}
    return setup.connect(paysuper_id, name="Lantern Works", **line)


def tampered(*statements: str) -> None:
    """As a superuser whom no trigger stops."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)


def verify(**options: Any) -> str:
    said = io.StringIO()
    call_command("verify_audit", stdout=said, stderr=said, **options)
    return said.getvalue()


def found(merchant: Merchant) -> list[str]:
    return [str(each) for each in chain.breaks(merchant)]


def row(number: int) -> str:
    mine = f"SELECT id FROM merchant_merchant WHERE paysuper_id = '{LANTERN}'"
    return f"merchant_id = ({mine}) AND number = {number}"


def test_rows_are_numbered_and_linked_for_each_merchant(merchant: Merchant) -> None:
    rows = list(AuditEvent.objects.filter(merchant=merchant).order_by("number"))
    assert [each.number for each in rows] == [1, 2, 3, 4, 5]
    assert [each.previous_hash for each in rows] == ["", *(each.hash for each in rows[:-1])]
    assert len({each.hash for each in rows}) == 5
    assert chain.head(merchant) == f"5:{rows[-1].hash}"
    assert verify().count("holds") == 2


MISSING_END = "Entry 5: the entries up to it, which was the last one, are missing"
FORGE = f"INSERT INTO merchant_auditevent ({ROW}) SELECT merchant_id, 'forged', '', data, at, '',"
RIGHT_HASH = "UPDATE merchant_auditevent AS e SET hash = audit_hash(e) WHERE"
NUMBER = "UPDATE merchant_auditevent SET number ="
CUT = "DELETE FROM merchant_auditevent"
# What is done, as statements, and what is found first.
TAMPERINGS: dict[str, tuple[list[str], str]] = {
    "change": ([f"UPDATE merchant_auditevent SET subject = 'x' WHERE {row(3)}"], "Entry 3: it was changed"),
    "change who": (
        [NEW_USER, f"UPDATE merchant_auditevent SET user_id = (SELECT id FROM merchant_user) WHERE {row(2)}"],
        "Entry 2: it was changed",
    ),
    "change when": (
        [f"UPDATE merchant_auditevent SET at = at - interval '1 microsecond' WHERE {row(4)}"],
        "Entry 4: it was changed",
    ),
    "change what": (
        [f"""UPDATE merchant_auditevent SET data = '{{"a": 1}}' WHERE {row(1)}"""],
        "Entry 1: it was changed",
    ),
    "change and make the hash right": (
        [f"UPDATE merchant_auditevent SET subject = 'x' WHERE {row(3)}", f"{RIGHT_HASH} {row(3)}"],
        "Entry 4: it does not follow the entry before it",
    ),
    "delete": ([f"{CUT} WHERE {row(3)}"], "Entry 4: entries are missing between 2 and 4"),
    "delete the first": (
        [f"{CUT} WHERE {row(1)}"],
        "Entry 2: the entries before it, from 1 on, are missing",
    ),
    "delete and close the gap": (
        [f"{CUT} WHERE {row(3)}", f"{NUMBER} 3 WHERE {row(4)}", f"{NUMBER} 4 WHERE {row(5)}"],
        "Entry 3: it was changed",
    ),
    "insert": (
        [f"{FORGE} NULL, '', '' FROM merchant_auditevent WHERE {row(3)}"],
        "is in no chain",
    ),
    "insert at the end": (
        [f"{FORGE} 6, hash, '' FROM merchant_auditevent WHERE {row(5)}", f"{RIGHT_HASH} {row(6)}"],
        "Entry 6: it is not the entry that the chain ended with",
    ),
    "swap": (
        [f"{NUMBER} 99 WHERE {row(2)}", f"{NUMBER} 2 WHERE {row(3)}", f"{NUMBER} 3 WHERE {row(99)}"],
        "Entry 2: it was changed",
    ),
    "cut the tail": ([f"{CUT} WHERE {row(5)}"], MISSING_END),
    "cut everything": ([CUT], MISSING_END),
    "cut the head": (
        ["DELETE FROM merchant_audithead"],
        "Entry 5: it is not the entry that the chain ended with",
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_superuser_who_tampers_is_found(merchant: Merchant, how: str) -> None:
    statements, told = TAMPERINGS[how]
    tampered(*statements)
    assert told in found(merchant)[0]
    with pytest.raises(CommandError, match="is not what was written"):
        verify(merchant_id=LANTERN)


def test_only_the_merchant_whose_chain_is_broken_is_named(merchant: Merchant) -> None:
    tampered(f"UPDATE merchant_auditevent SET event = 'x' WHERE {row(3)}")
    assert "holds" in verify(merchant_id="5f8a1c0e9b3d4e0001a7c900")
    assert found(Merchant.objects.exclude(pk=merchant.pk).get()) == []


def test_a_chain_that_was_written_anew_is_found_by_an_end_that_was_noted(merchant: Merchant) -> None:
    noted = chain.head(merchant)
    tampered(
        f"{CUT} WHERE {row(5)}",
        "UPDATE merchant_audithead AS head SET number = 4, hash = e.hash FROM merchant_auditevent AS e "
        "WHERE e.merchant_id = head.merchant_id AND e.number = 4",
    )
    assert "holds" in verify(merchant_id=LANTERN)
    with pytest.raises(CommandError):
        verify(merchant_id=LANTERN, expect=noted)
    assert "holds" in verify(merchant_id=LANTERN, expect=chain.head(merchant))


@pytest.mark.parametrize(
    "statement", ["UPDATE merchant_auditevent SET subject = 'x'", "DELETE FROM merchant_auditevent"]
)
def test_the_product_itself_can_neither_change_nor_delete(merchant: Merchant, statement: str) -> None:
    with pytest.raises(DatabaseError, match="cannot be changed or deleted"), connection.cursor() as cursor:
        cursor.execute(statement)
    assert found(merchant) == []


def test_a_place_in_the_chain_cannot_be_chosen(merchant: Merchant) -> None:
    AuditEvent.objects.create(merchant=merchant, event="forged", number=17, hash="f" * 64)
    assert AuditEvent.objects.get(event="forged").number == 6
    assert found(merchant) == []


def test_what_is_rolled_back_leaves_no_gap(merchant: Merchant) -> None:
    with transaction.atomic():
        audit.record(merchant, None, "thing.changed", "never")
        transaction.set_rollback(True)
    audit.record(merchant, None, "thing.changed", "then")
    assert AuditHead.objects.get(merchant=merchant).number == 6
    assert found(merchant) == []


def test_many_at_once_make_one_chain(merchant: Merchant) -> None:
    def act(number: int) -> None:
        for turn in range(10):
            with transaction.atomic():
                audit.record(merchant, None, "thing.changed", f"{number}.{turn}")
                audit.record(merchant, None, "thing.changed", f"{number}.{turn} again")

    _together([lambda number=number: act(number) for number in range(4)])
    assert AuditHead.objects.get(merchant=merchant).number == 85
    assert found(merchant) == []


def test_whoever_writes_the_audit_first_and_locks_a_row_then_meets_no_deadlock(merchant: Merchant) -> None:
    def audit_first() -> None:
        for turn in range(20):
            with transaction.atomic():
                audit.record(merchant, None, "thing.changed", turn)
                Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)

    def row_first() -> None:
        for turn in range(20):
            with transaction.atomic():
                Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
                audit.record(merchant, None, "thing.changed", turn)

    _together([audit_first, row_first, audit_first, row_first])
    assert AuditHead.objects.get(merchant=merchant).number == 85


def _together(works: list[Callable[[], None]]) -> None:
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
