"""Whatever CSV the product writes: what customers and colleagues wrote in it computes nothing."""

import csv
import io
import itertools
from pathlib import Path

import pytest
from django.apps import apps
from django.test import Client as Browser
from django.urls import get_resolver

from fulfillment.models import Action, Batch, BatchItem
from merchant import audit
from merchant.models import AuditEvent, Merchant, User
from tests.security.places import read
from tests.security.test_stored_texts import written
from tests.test_access import EXPECTED, address_of, walk
from tests.transactions.export_rows import HEADING, HOSTILE
from transactions import exports
from transactions.exports.csv_file import DECIMALS, DELIMITERS
from transactions.models import Transaction

FORMULAS = [text for text in HOSTILE if text.lstrip(" ")[:1] in set("=+-@\t\r\n\uff1d\uff0d")]
NUMBER = set("0123456789.,+-")


def computes(cell: str) -> bool:
    """Whether a spreadsheet would take this cell for a formula."""
    return cell.lstrip(" ")[:1] in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") and not set(cell) <= NUMBER


def cells(text: str, delimiter: str = ",") -> list[str]:
    """All cells below the header."""
    return [
        cell
        for row in list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
        for cell in row
    ]


@pytest.fixture
def poisoned(things: dict[str, object], order: Transaction, people: dict[str, User]) -> int:
    """The number of columns that begin like a formula now."""
    owner, turns, columns = people["owner"], itertools.cycle(FORMULAS), 0
    asked = {"batch": Batch.objects.get(), "action": Action.objects.get(), "state": "asked"}
    BatchItem.objects.create(**asked, transaction=order, position=1, seen_amount=1, seen_currency="EUR")
    for text in FORMULAS:
        audit.record(order.merchant, owner, text[:40], text, note=text, **{"=1+1": text})
    for model in set(apps.get_models()) - {AuditEvent}:
        names = {field.name for field in model._meta.concrete_fields}
        if "merchant" not in names and model not in (Merchant, User, BatchItem):
            continue
        if (texts := written(model)) and model._base_manager.exists():
            longest = {name: model._meta.get_field(name).max_length or 40 for name in texts}
            model._base_manager.update(**{name: next(turns)[: longest[name]] for name in texts})
            columns += len(texts)
    return columns


# Each file is read by a connection of its own.
@pytest.mark.django_db(transaction=True)
def test_no_csv_of_any_page_computes(
    poisoned: int, things: dict[str, object], browsers: dict[str, Browser]
) -> None:
    files = {}
    for pattern in sorted(set(walk(get_resolver()))):
        if EXPECTED[pattern, "GET"]["owner"] == "200" and "<uuid:export_id>" not in pattern:
            answer = browsers["owner"].get(address_of(pattern, things))
            content = read(answer)
            if "csv" in answer.get("Content-Type", ""):
                files[pattern] = content.decode("utf-8-sig")
    assert set(files) == {"/audit/export/", "/batches/<uuid:batch_id>/download/"}
    assert {cell for text in files.values() for cell in cells(text) if computes(cell)} == set()
    assert sum(cell.startswith("'") for text in files.values() for cell in cells(text)) > 10
    assert poisoned > 45


@pytest.mark.django_db(transaction=True)
def test_no_export_computes_in_any_dialect(
    order: Transaction, people: dict[str, User], tmp_path: Path
) -> None:
    texts = ("product", "customer_id", "customer_name", "customer_email", "method_title", "refund_receipt")
    path, seen = tmp_path / "a.csv", 0
    for formula in FORMULAS:
        Transaction.objects.update(**dict.fromkeys(texts, formula[:60]), transaction_id=formula[:40])
        for delimiter, decimal in itertools.product(DELIMITERS, DECIMALS):
            layout = exports.Layout(delimiter=delimiter, decimal=decimal)
            exports.write("csv", Transaction.objects.order_by("pk"), path, HEADING, layout=layout)
            found = cells(path.read_bytes().decode("utf-8-sig"), delimiter)
            assert [cell for cell in found if computes(cell)] == []
            seen += sum(cell.startswith("'") for cell in found)
    assert seen > 500
