"""An export says what it is, and a file of it can be told from others."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions.export_requests import ask, drop_file, fetched, made, verified
from transactions.exporting import proving
from transactions.exports import control
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_says_filter_sums_and_control_code(ann: Person, filled: Merchant) -> None:
    export = made(ann, "status=processed&currency=EUR")
    page = ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert export.control
    for each in (export.control, export.sha256, "Status: Processed · Currency: EUR"):
        assert each in page
    found = Transaction.objects.filter(merchant=filled, status="processed", charge_currency="EUR")
    expected = sum(row.charge_amount * (-1 if row.type == "refund" else 1) for row in found)
    [[currency, status, count, amount]] = export.sums
    assert (currency, status, count) == ("EUR", "Processed", found.count())
    assert round(expected, 2) == round(type(expected)(amount), 2)


def test_a_text_beside_a_csv_says_the_same(ann: Person, filled: Merchant) -> None:
    export = made(ann, "period=last_month")
    answer = ann.browser.get(f"/exports/{export.pk}/notes/")
    assert answer["Content-Disposition"] == f'attachment; filename="{export.download_name}.txt"'
    text = answer.content.decode()
    for each in (export.control, export.sha256, f"Rows:          {export.rows_total}", "Days: "):
        assert each in text
    assert ann.browser.get(f"/exports/{ask(ann).pk}/notes/").status_code == 404


@pytest.mark.parametrize("written", ["{}", " {} "])
def test_an_export_is_found_by_its_control_code(
    ann: Person, cleo: Person, filled: Merchant, written: str
) -> None:
    export, other = made(ann), made(ann, "status=processed")
    page = ann.browser.get(
        "/exports/", {"code": written.format(export.control.lower().replace("-", " "))}
    ).content.decode()
    assert f"/exports/{export.pk}/" in page
    assert f"/exports/{other.pk}/" not in page
    assert (
        "No export with this control code"
        in cleo.browser.get(f"/exports/?code={export.control}").content.decode()
    )


@pytest.mark.parametrize("code", ["x", "0000-0000-0000", "\0", "'" * 2000, "ЖЖЖЖ-ЖЖЖЖ-ЖЖЖЖ"])
def test_an_unknown_code_is_an_answer(ann: Person, filled: Merchant, code: str) -> None:
    made(ann)
    assert "No export with this control code" in ann.browser.get("/exports/", {"code": code}).content.decode()


def test_a_code_is_read_as_people_write_it() -> None:
    assert control.read("7kq2 9mpx-o4tl") == "7KQ2-9MPX-04T1"
    assert control.read("7KQ2-9MPX-04U1") == control.read("7KQ2") == ""


def test_two_exports_of_an_unchanged_mirror_are_the_same_csv(ann: Person, filled: Merchant) -> None:
    one, other = made(ann), made(ann)
    assert one.sha256 == other.sha256
    assert one.as_of != other.as_of
    assert one.control != other.control


def test_a_file_is_told_to_be_ours(ann: Person, cleo: Person, filled: Merchant) -> None:
    export = made(ann, "status=processed")
    body = fetched(ann, export)
    page = verified(ann, body)
    assert "The file is genuine" in page
    assert export.control in page
    for other in (body + b" ", body[:-1], b"x"):
        assert "not one of your exports" in verified(ann, other)
    assert "not one of your exports" in verified(cleo, body)
    drop_file(export)
    assert "The file is genuine" in verified(ann, body)


def test_nothing_to_verify_is_an_answer(ann: Person, filled: Merchant) -> None:
    for data in ({}, {"file": "text"}, {"file": SimpleUploadedFile("empty.csv", b"")}):
        page = ann.browser.post("/exports/verify/", data, follow=True).content.decode()
        assert "Choose the file" in page


def test_too_large_a_file_is_refused_in_words(ann: Person, filled: Merchant, monkeypatch) -> None:
    monkeypatch.setattr(proving, "LARGEST", 1000)
    assert "can be verified here" in verified(ann, b"x" * 200_000)
    assert "not one of your exports" in verified(ann, b"x" * 1000)


def test_a_file_from_another_site_is_not_taken(ann: Person, filled: Merchant) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = ann.browser.cookies
    answer = strict.post("/exports/verify/", {"file": SimpleUploadedFile("a.csv", b"x")})
    assert answer.status_code == 403
