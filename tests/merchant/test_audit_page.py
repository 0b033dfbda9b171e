"""Owners find what was done, by whom and from where, and take it with them."""

import csv
import datetime as dt
import io
import json

import pytest
from django.db import connection
from django.utils import timezone

from merchant import audit, paging, tasks
from merchant.audit import chain
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person, person


def shown(ann: Person, query: str = "") -> str:
    answer = ann.browser.get(f"/audit/?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def taken(ann: Person, query: str = "") -> list[dict[str, str]]:
    answer = ann.browser.get(f"/audit/export/?{query}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def linked() -> None:
    """As at the end of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def entries(ann: Person, ben: Person, lantern: Merchant) -> Merchant:
    audit.record(
        lantern, ann.membership.user, "rules.changed", "1", before={"a": 1, "b": 2}, after={"a": 1, "b": 3}
    )
    audit.record(lantern, ben.membership.user, "refund.requested", "order-7", note="<b>late</b>")
    audit.record(lantern, None, "refund.refunded", "order-7", amount="5.00")
    return lantern


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["refund.refunded", "refund.requested", "rules.changed"]),
        ("person=ben", ["refund.requested"]),
        ("person=BEN@example.com", ["refund.requested"]),
        ("person=system", ["refund.refunded"]),
        ("person=nobody@", []),
        ("event=refund", ["refund.refunded", "refund.requested"]),
        ("event=refund.refunded", ["refund.refunded"]),
        ("object=order-7", ["refund.refunded", "refund.requested"]),
        ("object=order", []),
        ("first=2020-01-01", ["refund.refunded", "refund.requested", "rules.changed"]),
        ("last=2020-01-01", []),
        ("first=2020-01-02&last=2020-01-01", []),
        ("first=yesterday", []),
        ("first=0001-01-01&last=9999-12-31", ["refund.refunded", "refund.requested", "rules.changed"]),
        ("event=refund&person=ben", ["refund.requested"]),
    ],
)
def test_filters_find_what_they_name_on_the_page_and_in_the_file(
    ann: Person, entries: Merchant, query: str, found: list[str]
) -> None:
    page = shown(ann, query)
    names = ("refund.refunded", "refund.requested", "rules.changed")
    assert [name for name in names if f">{name}</a>" in page] == found
    assert [row["Event"] for row in taken(ann, query)] == found


def test_a_day_is_one_of_the_merchants_zone(ann: Person, entries: Merchant) -> None:
    today = timezone.now().astimezone(entries.zone).date()
    assert len(taken(ann, f"first={today}&last={today}&event=refund")) == 2
    assert taken(ann, f"first={today + dt.timedelta(days=1)}&event=refund") == []


def test_changes_are_told_with_before_and_after_and_texts_are_no_markup(
    ann: Person, entries: Merchant
) -> None:
    page = shown(ann)
    assert "<bdi>2</bdi> → <bdi>3</bdi>" in page
    assert "A:" not in page
    assert "&lt;b&gt;late&lt;/b&gt;" in page
    assert "<b>late</b>" not in page


def test_address_and_request_stand_in_what_a_request_did(ann: Person, lantern: Merchant, settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    ann.browser.get("/audit/export/", headers={"X-Forwarded-For": "198.51.100.66, 203.0.113.9"})
    entry = AuditEvent.objects.get(event="audit.exported")
    assert entry.address == "203.0.113.9"
    assert len(entry.request_id) == 36
    audit.record(lantern, None, "thing.changed", "outside")
    outside = AuditEvent.objects.get(subject="outside")
    assert (outside.address, outside.request_id) == (None, "")


def test_pages_lead_to_the_oldest_and_back_without_loss(ann: Person, lantern: Merchant) -> None:
    for number in range(2 * paging.SIZE + 3):
        audit.record(lantern, None, "thing.changed", number)
    mine, seen, cursor = AuditEvent.objects.filter(merchant=lantern), [], ""
    while True:
        page = paging.page(mine, cursor)
        seen += [entry.subject for entry in page.rows]
        if not page.older:
            break
        cursor = page.older
    assert seen == [str(number) for number in reversed(range(2 * paging.SIZE + 3))]
    back = paging.page(mine, page.newer)
    assert [entry.subject for entry in back.rows] == seen[paging.SIZE : 2 * paging.SIZE]
    for nonsense in ("older~", "older~x", "newer~99999999999999999999", "older~-1", "x~1"):
        assert paging.page(mine, nonsense).rows[0].subject == seen[0]


def test_the_file_cannot_compute_and_can_be_proven(ann: Person, lantern: Merchant) -> None:
    audit.record(lantern, None, "note.added", '=HYPERLINK("http://x")', text='ключ, "quoted"\n')
    linked()
    row = taken(ann)[0]
    entry = AuditEvent.objects.get(event="note.added")
    assert row["Object"] == '\'=HYPERLINK("http://x")'
    assert json.loads(row["Details"]) == {"text": 'ключ, "quoted"\n'}
    assert (row["Number"], row["Hash"]) == (str(entry.number), entry.hash)
    assert row["Hash of the entry before"] == entry.previous_hash
    assert chain.breaks(lantern) == []


def test_nobody_sees_what_another_merchant_did(ann: Person, entries: Merchant, copper: Merchant) -> None:
    audit.record(copper, None, "secret.thing", "theirs")
    assert "secret.thing" not in shown(ann)
    assert "secret.thing" not in {row["Event"] for row in taken(ann, "person=system")}


def test_the_nightly_check_tells_where_a_chain_broke(
    ann: Person, entries: Merchant, caplog: pytest.LogCaptureFixture
) -> None:
    linked()
    tasks.verify_audit()
    assert "audit_broken" not in caplog.text
    assert chain.head(entries) in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE merchant_auditevent SET subject = 'x' WHERE number = 2")
    tasks.verify_audit()
    assert "Entry 2: it was changed" in caplog.text


@pytest.mark.parametrize("role", ["developer", "accounting", "support", "view_only"])
def test_only_owners_read_it(lantern: Merchant, role: str) -> None:
    somebody = person(lantern, role.replace("_", ""), role)
    assert somebody.browser.get("/audit/").status_code == 403
    assert somebody.browser.get("/audit/export/").status_code == 403
    settings = somebody.browser.get("/settings/").content.decode()
    assert 'href="/audit/"' not in settings
