"""Who may ask for an export, fetch it, and read in it who the customers are."""

import csv
import io
import uuid

import pytest

from merchant.models import Merchant
from tests.conftest import Person, person
from tests.transactions.export_requests import drop_file, fetched, made, posted
from transactions.models import Export

pytestmark = pytest.mark.django_db(transaction=True)


def test_another_member_of_the_merchant_may_fetch_it(ann: Person, ben: Person, filled: Merchant) -> None:
    assert fetched(ben, made(ann))


@pytest.mark.parametrize("export_format", ["csv", "xlsx", "pdf"])
def test_accounting_gets_files_that_do_not_say_who_the_customers_are(
    lantern: Merchant, filled: Merchant, export_format: str
) -> None:
    accountant = person(lantern, "accountant", "accounting")
    export = made(accountant, "", export_format)
    assert export.personal is False
    content = fetched(accountant, export)
    if export_format == "csv":
        lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert {line["E-mail"] for line in lines} == {"M…@Example.com", "r…@example.org", "", "л…@пример.рф"}
        assert {line["Customer name"] for line in lines} == {"<."}


def test_accounting_cannot_fetch_the_file_of_somebody_who_sees_more(
    ann: Person, lantern: Merchant, filled: Merchant
) -> None:
    accountant, export = person(lantern, "accountant", "accounting"), made(ann)
    assert accountant.browser.get(f"/exports/{export.pk}/download/").status_code == 403
    page = accountant.browser.get(f"/exports/{export.pk}/").content.decode()
    assert "which your role does not see" in page
    assert 'id="download"' not in page


def test_another_merchant_sees_nothing_of_it(ann: Person, cleo: Person, filled: Merchant) -> None:
    export = made(ann)
    for address in (f"/exports/{export.pk}/", f"/exports/{export.pk}/download/", f"/exports/{uuid.uuid4()}/"):
        assert cleo.browser.get(address).status_code == 404
    assert str(export.pk) not in cleo.browser.get("/exports/").content.decode()


def test_a_viewer_may_neither_ask_nor_fetch_nor_look(ann: Person, vera: Person, filled: Merchant) -> None:
    export = made(ann)
    assert vera.browser.post("/exports/", {"format": "csv", "query": ""}).status_code == 403
    for address in ("/exports/", f"/exports/{export.pk}/", f"/exports/{export.pk}/download/"):
        assert vera.browser.get(address).status_code == 403
    assert Export.objects.count() == 1
    assert 'action="/exports/"' not in vera.browser.get("/transactions/").content.decode()
    assert 'action="/exports/"' in ann.browser.get("/transactions/").content.decode()


def test_who_does_not_see_addresses_exports_nobody_by_one(
    ann: Person, lantern: Merchant, filled: Merchant
) -> None:
    abe = person(lantern, "abe", "accounting")
    assert made(ann, "q=mara").rows_total > 0
    assert made(abe, "q=mara").rows_total == 0
    assert made(abe, "q=p-3").rows_total == made(ann, "q=p-3").rows_total > 0


def test_accounting_cannot_have_a_file_made_again_that_says_more_than_it_sees(
    ann: Person, lantern: Merchant, filled: Merchant
) -> None:
    export = made(ann)
    drop_file(export)
    assert posted(person(lantern, "accountant", "accounting"), export, "again").status_code == 403
