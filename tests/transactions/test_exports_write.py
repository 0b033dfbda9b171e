import datetime as dt
import hashlib
from decimal import Decimal

import pytest
from django.db import connection

from tests.transactions.export_rows import HEADING, everything, make_project, sale
from transactions.exports import CONTENT_TYPES, columns, write
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)

every_format = pytest.mark.parametrize("form", sorted(CONTENT_TYPES))


@every_format
def test_tells_what_was_written(tmp_path, form):
    project = make_project()
    for number in range(3):
        sale(project, number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()

    written = write(form, everything(), tmp_path / "file", HEADING)

    content = (tmp_path / "file").read_bytes()
    assert (written.rows, written.size) == (3, len(content))
    assert written.sha256 == hashlib.sha256(content).hexdigest()
    assert before <= written.as_of <= before + dt.timedelta(minutes=1)
    assert written.as_of.utcoffset() == dt.timedelta(0)


@every_format
def test_the_file_appears_only_when_it_is_complete(tmp_path, form):
    sale(make_project())
    path = tmp_path / "file"
    seen = []

    write(form, everything(), path, HEADING, lambda done, total: seen.append((done, total, path.exists())))

    assert seen[0] == (0, 1, False)
    assert seen[-1] == (1, 1, False)
    assert list(tmp_path.iterdir()) == [path]


@every_format
def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path, form):
    sale(make_project())
    path = tmp_path / "file"
    path.write_text("earlier")

    def cancel(done, total):
        if done:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write(form, everything(), path, HEADING, cancel)

    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "earlier"


@every_format
def test_all_is_read_in_one_moment(tmp_path, form):
    project = make_project()
    sale(project, 1)

    def meanwhile(done, total):
        sale(project, 100 + done)
        Transaction.objects.filter(transaction_id="tx-00001").update(product="changed")

    written = write(form, everything(), tmp_path / "file", HEADING, meanwhile)

    assert written.rows == 1
    assert Transaction.objects.count() > 1
    if form == "csv":
        content = (tmp_path / "file").read_text()
        assert "Golden sword" in content
        assert content.count("\n") == 2


@every_format
def test_a_filter_that_matches_nothing_makes_a_file_without_rows(tmp_path, form):
    sale(make_project())

    assert write(form, everything().filter(status="lost"), tmp_path / "file", HEADING).rows == 0


def test_a_filter_that_the_orm_knows_to_be_empty_does_too(tmp_path):
    sale(make_project())

    assert write("csv", everything().none(), tmp_path / "1", HEADING).rows == 0
    assert write("xlsx", everything().filter(status__in=[]), tmp_path / "2", HEADING).rows == 0


def test_hostile_filter_values_are_values(tmp_path):
    sale(make_project(), product="100% '); DROP TABLE x; -- %s")

    found = everything().filter(product="100% '); DROP TABLE x; -- %s")

    for form in ("csv", "xlsx"):
        assert write(form, found, tmp_path / form, HEADING).rows == 1


def test_joins_of_a_filter_and_the_page_s_annotations_change_nothing(tmp_path):
    project = make_project("Skyforge")
    sale(project)
    found = everything().filter(project__name="Skyforge").select_related("project").only("uuid").distinct()

    assert write("csv", found, tmp_path / "file", HEADING).rows == 1


def test_sums_are_exact_and_never_across_currencies(tmp_path):
    project = make_project()
    for number in range(10):
        sale(project, number, charge_amount=Decimal("0.10"))
    sale(project, 20, type="refund", status="refunded", charge_amount=Decimal("0.30"))
    sale(project, 21, status="refunded", charge_amount=Decimal("0.30"))
    sale(project, 22, charge_currency="JPY", charge_amount=Decimal(7))
    sale(project, 23, charge_currency="BHD", charge_amount=Decimal("0.001"))

    found = columns.sums(columns.source(everything().order_by(), "UTC"), connection)

    assert [(each.currency, each.status, each.count, each.amount) for each in found] == [
        ("BHD", "Processed", 1, Decimal("0.001")),
        ("EUR", "Processed", 10, Decimal("1.00")),
        ("EUR", "Refunded", 2, Decimal(0)),
        ("JPY", "Processed", 1, Decimal(7)),
    ]


def test_an_unknown_format_is_an_error(tmp_path):
    with pytest.raises(KeyError):
        write("doc", everything(), tmp_path / "file", HEADING)
