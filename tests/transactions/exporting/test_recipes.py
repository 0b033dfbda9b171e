"""Whoever exports chooses columns and dialect, and keeps the choice."""

import csv
import io

import pytest

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions.export_requests import fetched
from transactions import recipes, tasks
from transactions.models import Export, Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def header(body: bytes, delimiter: str = ",") -> list[str]:
    return next(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=delimiter))


def made_of(person: Person, **asked: str) -> Export:
    answer = person.browser.post("/exports/", {"query": "", "format": "csv"} | asked)
    export = Export.objects.get(pk=answer["Location"].strip("/").split("/")[-1])
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    return export


def test_the_page_s_columns_are_exported_in_their_order_with_both_clocks(
    ann: Person, filled: Merchant
) -> None:
    body = fetched(ann, made_of(ann, columns="page"))
    assert header(body) == [
        "Status", "Project", "Product", "Date and time (Europe/Berlin)", "Date and time (UTC)", "Country",
        "Payment method", "Transaction ID", "Charge amount", "Charge currency",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "delimiter", "amount"),
    [
        ("comma-point", ",", "12.345"),
        ("semicolon-comma", ";", "12,345"),
        ("comma-comma", ",", "12,345"),
        ("tab-comma", "\t", "12,345"),
        ("tab-point", "\t", "12.345"),
        ("semicolon-point", ";", "12.345"),
    ],
)
def test_a_dialect_is_written_and_remembered(
    ann: Person, filled: Merchant, dialect: str, delimiter: str, amount: str
) -> None:
    Transaction.objects.filter(merchant=filled).update(
        charge_amount="12.345", charge_currency="BHD", type="refund", product='a;b,"c"\td\r\ne'
    )
    body = fetched(ann, made_of(ann, columns="all", dialect=dialect)).decode("utf-8-sig")
    for row in csv.DictReader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True):
        assert (row["Charge amount"], row["Product"]) == (f"-{amount}", 'a;b,"c"\td\r\ne')
    ann.membership.refresh_from_db()
    assert recipes.last_choice(ann.membership.list_preferences) == recipes.Choice("all", dialect)
    assert f'<option value="{dialect}" selected>' in ann.browser.get("/transactions/").content.decode()


def test_a_recipe_is_kept_offered_used_and_deleted(ann: Person, ben: Person, filled: Merchant) -> None:
    recipe = {"name": "Month <end>", "format": "csv", "dialect": "semicolon-comma"}
    recipe |= {"place-net": "1", "place-transaction": "3", "place-utc": "2"}
    assert "is saved" in ann.browser.post("/exports/recipes/", recipe, follow=True).content.decode()
    assert "Month &lt;end&gt;" in ann.browser.get("/transactions/").content.decode()
    assert "Month" not in ben.browser.get("/transactions/").content.decode()
    body = fetched(ann, made_of(ann, recipe="Month <end>"))
    assert not body.startswith(b"\xef\xbb\xbf")
    assert header(body, ";") == ["Net", "Payout currency", "Date and time (UTC)", "Transaction ID"]
    assert 'value="1"' in ann.browser.get("/exports/recipes/", {"name": "Month <end>"}).content.decode()
    ann.browser.post("/exports/recipes/delete/", {"name": "Month <end>"})
    assert "Month" not in ann.browser.get("/transactions/").content.decode()
    answer = ann.browser.post("/exports/", {"query": "", "recipe": "Month <end>"}, follow=True)
    assert "not there any more" in answer.content.decode()


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"name": "x", "format": "csv"},
        {"name": "x", "format": "exe", "place-net": "1"},
        {"name": "x", "format": "csv", "place-net": "first"},
        {"name": "x", "format": "csv", "place-net": "-1"},
        {"name": "x", "format": "csv", "place-net": "²"},
        {"name": "x", "format": "csv", "place-net": "1", "dialect": "morse"},
        {"name": "\0", "format": "csv", "place-net": "1"},
        {"name": "x" * 61, "format": "csv", "place-net": "1"},
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_in_words(ann: Person, posted: dict[str, str]) -> None:
    page = ann.browser.post("/exports/recipes/", posted, follow=True)
    assert page.status_code == 200
    assert "notice error" in page.content.decode()
    ann.membership.refresh_from_db()
    assert "recipes" not in ann.membership.list_preferences


def test_the_button_says_how_many_rows_it_will_write(ann: Person, filled: Merchant, monkeypatch) -> None:
    page = ann.browser.get("/transactions/?size=100").content.decode()
    for name in ("CSV", "XLSX", "PDF"):
        assert f"Export 60 rows as {name}" in " ".join(page.split())
    counted = ann.browser.get("/transactions/figures/", headers={"HX-Request": "true"}).content.decode()
    assert 'id="export-buttons" hx-swap-oob="true"' in counted
    assert "Export 60 rows as XLSX" in " ".join(counted.split())
    monkeypatch.setattr("transactions.overview.COUNT_LIMIT", 50)
    many = ann.browser.get("/transactions/figures/", headers={"HX-Request": "true"}).content.decode()
    assert "Export over 50 rows as XLSX" in " ".join(many.split())
