"""Rows of the list are selected, and exported as exactly those."""

import csv
import io
import uuid

import pytest
from django.http import Http404, QueryDict

from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.transactions import rows
from tests.transactions.export_requests import fetched, folder, rung
from transactions import tasks
from transactions.models import Export, Transaction
from transactions.selection import LIMIT, BadSelection, selected

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(lantern: Merchant) -> list[Transaction]:
    return rows.fill(lantern, 60)


def posted(**values: object) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, [str(each) for each in value] if isinstance(value, list) else [str(value)])
    return data


def test_ticked_rows_are_selected_once_each_in_their_order(
    ann: Person, lantern: Merchant, filled: list[Transaction]
) -> None:
    first, second, third = (entry.pk for entry in filled[:3])
    assert selected(ann.membership, posted(row=[third, first, third, str(first).upper()])) == [third, first]
    assert selected(ann.membership, posted(row=[second], page_rows=f"{first} {third}")) == [second]


def test_the_whole_page_is_selected_by_one_box(
    ann: Person, lantern: Merchant, filled: list[Transaction]
) -> None:
    page = [entry.pk for entry in filled[:25]]
    data = posted(page="yes", page_rows=" ".join(map(str, page)), row=[page[3]])
    assert selected(ann.membership, data) == page


@pytest.mark.parametrize("query", ["status=processed&sort=amount", "q=p-3", "cursor=last&country=DE"])
def test_everything_means_what_the_filters_find_in_the_order_of_the_list(
    ann: Person, lantern: Merchant, filled: list[Transaction], query: str
) -> None:
    listed = ann.browser.get(f"/transactions/?{query.replace('cursor=last', '')}&size=100").context["page"]
    assert selected(ann.membership, posted(everything="yes", query=query)) == [
        row["uuid"] for row in listed.rows
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "at least one"),
        ({"row": []}, "at least one"),
        ({"page_rows": str(uuid.uuid4())}, "at least one"),
        ({"row": ["nonsense"]}, "cannot be read"),
        ({"row": ["\0"]}, "cannot be read"),
        ({"row": ["9" * 5000]}, "cannot be read"),
        ({"page": "yes", "page_rows": "1;2"}, "cannot be read"),
        ({"row": [uuid.UUID(int=number) for number in range(LIMIT + 1)]}, "At most 1,000"),
        ({"everything": "yes", "query": "from=x"}, "make no sense"),
        ({"everything": "yes", "query": "q=%00"}, "make no sense"),
        ({"everything": "yes", "query": "q=nobody@nowhere"}, "at least one"),
    ],
)
def test_a_selection_that_makes_no_sense_is_told_so(
    ann: Person, lantern: Merchant, filled: list[Transaction], data: dict[str, object], words: str
) -> None:
    with pytest.raises(BadSelection, match=words):
        selected(ann.membership, posted(**data))


def test_more_than_a_thousand_matches_are_not_selected_together(ann: Person, lantern: Merchant) -> None:
    rows.fill(lantern, LIMIT + 1)
    with pytest.raises(BadSelection, match="At most 1,000"):
        selected(ann.membership, posted(everything="yes", query=""))
    some = list(Transaction.objects.values_list("pk", flat=True)[:LIMIT])
    assert len(selected(ann.membership, posted(row=some))) == LIMIT


def test_one_foreign_or_unknown_row_spoils_the_whole_selection(
    ann: Person, lantern: Merchant, copper: Merchant, filled: list[Transaction]
) -> None:
    foreign = Transaction.objects.filter(merchant=copper).first()
    for stranger in (foreign.pk, uuid.uuid4()):
        with pytest.raises(Http404):
            selected(ann.membership, posted(row=[filled[0].pk, stranger]))


@pytest.mark.parametrize("export_format", ["csv", "xlsx", "pdf"])
def test_the_file_of_a_selection_has_exactly_its_rows_in_the_order_of_the_list(
    ann: Person, filled: list[Transaction], export_format: str
) -> None:
    chosen = filled[5:17]
    data = {"row": [str(entry.pk) for entry in chosen], "format": export_format, "query": "sort=amount&q=p-3"}
    answer = ann.browser.post("/transactions/bulk/export/", data)
    export = Export.objects.get()
    assert answer["Location"] == f"/exports/{export.pk}/"
    assert rung() == 1
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert (export.state, export.rows_total) == ("ready", 12)
    event = AuditEvent.objects.get(event="export.requested")
    assert event.data == {"query": "sort=amount&q=p-3", "selected": 12}
    assert "12 selected transactions" in ann.browser.get(f"/exports/{export.pk}/").content.decode()
    if export_format == "csv":
        table = csv.DictReader(io.StringIO(fetched(ann, export).decode("utf-8-sig")))
        in_order = sorted(chosen, key=lambda entry: (entry.charge_amount, entry.pk))
        assert [row["Order ID"] for row in table] == [str(entry.pk) for entry in in_order]
    if export_format == "pdf":
        import pypdf

        text = pypdf.PdfReader(io.BytesIO(fetched(ann, export))).pages[0].extract_text()
        assert "12 selected transactions" in text


@pytest.mark.parametrize("data", [{"format": "csv"}, {"row": "x", "format": "csv"}, {"format": "exe"}])
def test_a_bad_selection_makes_no_file_and_returns_to_the_list_with_a_message(
    ann: Person, filled: list[Transaction], data: dict[str, str]
) -> None:
    if data["format"] == "exe":
        data = data | {"row": str(filled[0].pk)}
    answer = ann.browser.post("/transactions/bulk/export/", data | {"query": "q=p-3"}, follow=True)
    assert answer.redirect_chain == [("/transactions/?q=p-3", 302)]
    assert 'class="notice error"' in answer.content.decode()
    assert not Export.objects.exists()


def test_foreign_rows_make_no_file(ann: Person, copper: Merchant, filled: list[Transaction]) -> None:
    foreign = Transaction.objects.filter(merchant=copper).first()
    data = {"row": [str(filled[0].pk), str(foreign.pk)], "format": "csv"}
    assert ann.browser.post("/transactions/bulk/export/", data).status_code == 404
    assert not Export.objects.exists()


def test_a_thousand_rows_fit_into_one_form(ann: Person, lantern: Merchant) -> None:
    ids = [str(entry.pk) for entry in rows.fill(lantern, LIMIT)]
    answer = ann.browser.post("/transactions/bulk/export/", {"row": ids, "format": "csv"})
    assert answer.status_code == 302
    assert len(Export.objects.get().selection) == LIMIT


@pytest.mark.parametrize(
    ("role", "boxes", "buttons"),
    [
        ("owner", True, {"fulfil", "refund", "export"}),
        ("support", True, {"fulfil", "refund", "export"}),
        ("accounting", True, {"export"}),
        ("view_only", False, set()),
    ],
)
def test_only_who_may_act_sees_boxes_and_only_what_they_may(
    ann: Person, filled: list[Transaction], role: str, boxes: bool, buttons: set[str]
) -> None:
    ann.membership.role = role
    ann.membership.save()
    page = ann.browser.get("/transactions/").content.decode()
    assert ('name="row"' in page, 'name="page"' in page) == (boxes, boxes)
    assert {
        name for name in ("fulfil", "refund", "export") if f"/transactions/bulk/{name}/" in page
    } == buttons
    assert 'name="row"' not in ann.browser.get("/").content.decode()
