"""The card's timeline has the notes of colleagues and every change of the status."""

import datetime as dt

import pytest

from merchant.models import AuditEvent, Merchant
from merchant.paysuper import records
from tests.conftest import Person
from tests.merchant.examples import load
from tests.transactions.cards import AT, CARD, KEYS, address, page_of
from tests.transactions.test_pages import keep, text
from transactions import mirror, notes
from transactions.models import Note, StatusChange, Transaction

# Notes -------------------------------------------------------------------------------------------


def test_a_note_stands_in_the_timeline_with_its_author(ben: Person, ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    listed = {"Referer": f"http://testserver{address(entry, '?in=size%3D100')}"}
    words = {"text": "Called back.\r\n<b>Angry</b>"}
    answer = ben.browser.post(address(entry, "notes/"), words, headers=listed)
    assert answer["Location"] == address(entry, "?in=size%3D100#timeline")
    assert Note.objects.get().text == "Called back.\n<b>Angry</b>"
    page = page_of(ann.browser, entry)
    assert "Note Called back. <b>Angry</b>" in page
    assert "ben@example.com" in page
    assert "Delete the note" not in page
    assert AuditEvent.objects.get(event="note.added").subject == str(entry.pk)


@pytest.mark.parametrize("words", ["", "  \r\n ", "x" * 2001, "a\0b"])
def test_a_note_that_makes_no_sense_comes_back_with_its_text(
    ben: Person, lantern: Merchant, words: str
) -> None:
    entry = keep(lantern, CARD)
    answer = ben.browser.post(address(entry, "notes/"), {"text": words})
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert words.strip().replace("\0", "") in answer.content.decode().replace("\0", "")
    assert not Note.objects.exists()


def test_line_ends_count_as_one_character(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    assert ben.browser.post(address(entry, "notes/"), {"text": "x\r\n" * 999 + "yy"}).status_code == 302


def test_one_deletes_ones_own_note_and_its_text_is_kept_unseen(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    note = notes.add(entry, ben.membership, "Nonsense")
    assert "Delete the note" in page_of(ben.browser, entry)
    for _ in range(2):
        assert ben.browser.post(address(entry, f"notes/{note.pk}/delete/")).status_code == 302
    assert "Nonsense" not in page_of(ben.browser, entry)
    note.refresh_from_db()
    assert note.text == "Nonsense"
    assert AuditEvent.objects.filter(event="note.deleted").count() == 1


def test_nobody_deletes_another_persons_note_or_through_another_order(
    ben: Person, ann: Person, lantern: Merchant
) -> None:
    entry, other = keep(lantern, CARD), keep(lantern, KEYS)
    note = notes.add(entry, ben.membership, "Mine")
    assert ann.browser.post(address(entry, f"notes/{note.pk}/delete/")).status_code == 404
    assert ben.browser.post(address(other, f"notes/{note.pk}/delete/")).status_code == 404
    assert ben.browser.post(address(entry, f"notes/{10**30}/delete/")).status_code == 404
    note.refresh_from_db()
    assert note.deleted_at is None


def test_whoever_only_looks_writes_no_notes(vera: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    assert "Add a note" not in text(vera.browser, address(entry))
    assert vera.browser.post(address(entry, "notes/"), {"text": "x"}).status_code == 403


# The history of the status -----------------------------------------------------------------------


def test_the_timeline_tells_which_status_was_learned_when_and_why(ann: Person, lantern: Merchant) -> None:
    for minute, (status, cause) in enumerate(
        [("pending", "reading"), ("processed", "webhook"), ("processed", "reading"), ("refunded", "refund")]
    ):
        record = records.order(load(CARD) | {"status": status, "locale": str(minute)})
        mirror.apply(lantern, [record], AT + dt.timedelta(minutes=minute), StatusChange.Cause(cause))
    entry = Transaction.objects.get()
    changes = entry.status_changes.values_list("before", "after", "cause", "at")
    assert list(changes) == [
        ("processed", "refunded", "refund", AT + dt.timedelta(minutes=3)),
        ("pending", "processed", "webhook", AT + dt.timedelta(minutes=1)),
    ]
    page = page_of(ann.browser, entry)
    assert page.index("from Processed to Refunded") < page.index("from Pending to Processed")
    assert "Read again after a webhook" in page


def test_a_status_that_is_not_believed_is_no_change(lantern: Merchant) -> None:
    keep(lantern, CARD, status="refunded")
    record = records.order(load(CARD) | {"status": "processed"})
    mirror.apply(lantern, [record], AT + dt.timedelta(hours=1))
    mirror.apply(lantern, [records.order(load(CARD))], AT - dt.timedelta(hours=1))
    assert not StatusChange.objects.exists()
