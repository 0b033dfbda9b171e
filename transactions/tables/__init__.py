"""The table of the list: which columns in which order, what can be sorted by, and the rows.

django-tables2 gives the headers. It renders no rows: that takes it ten times as long.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import django_tables2
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.safestring import SafeString

from merchant.markup import filled
from merchant.models import Project
from transactions import paging
from transactions.models import Transaction
from transactions.tables.columns import COLUMNS, Column, Row

__all__ = ["COLUMNS", "DEFAULT_COLUMNS", "LINK", "Column", "header", "rows", "values_of", "with_project"]

# Those of PaySuper's own page, with the status in words.
DEFAULT_COLUMNS = ("status", "project", "product", "date", "country", "method", "id", "amount")
# The column whose cell opens the transaction: every choice of columns holds it.
LINK = "id"
# What a row needs whatever its columns: its address, its place in the order, and what can be done with it.
_ALWAYS = (
    "uuid",
    "created_at",
    "charge_amount",
    "charge_currency",
    "transaction_id",
    "type",
    "status",
    "method",
    "fulfilment",
    "refund_state",
)
_PROJECT_NAME = Project.objects.filter(pk=OuterRef("project_id")).order_by().values("name")
_SELECT = (
    '<td class="cell-select"><label class="tick">'
    '<input type="checkbox" name="row" value="{uuid}" form="bulk">'
    '<span class="unseen">Select {number}</span></label></td>'
)


class TransactionTable(django_tables2.Table):  # type: ignore[misc]
    """A table whose columns each person chooses."""

    class Meta:
        order_by_field = "sort"


def header(order: str, names: Sequence[str]) -> TransactionTable:
    """The columns of these names, and by which of them the rows are sorted."""
    chosen = [(name, _heading(COLUMNS[name])) for name in names]
    order = order if order in paging.ORDERS else paging.DEFAULT_ORDER
    return TransactionTable([], extra_columns=chosen, order_by=order)


def values_of(names: Sequence[str]) -> Sequence[str]:
    """The values that rows of these columns are made of."""
    return list(dict.fromkeys([*_ALWAYS, *(value for name in names for value in COLUMNS[name].needs)]))


def with_project(found: QuerySet[Transaction]) -> QuerySet[Transaction]:
    """The transactions with the name of their project as `project_name`.

    Looked up for the rows of the page. A join is a table to begin at for the planner, which then takes three
    filters the long way round.
    """
    return found.annotate(project_name=Subquery(_PROJECT_NAME))


def rows(
    found: Sequence[Row], names: Sequence[str], *, suffix: str = "", masked: bool, selectable: bool = False
) -> Iterator[dict[str, Any]]:
    """The rows with the markup of their cells under "cells".

    `suffix` ends the address of each transaction; `masked` hides who the customer is; `selectable` rows
    begin with a box to tick, which belongs to the form "bulk".
    """
    shown = [COLUMNS[name] for name in names]
    markup = _SELECT * selectable + "".join(map(_frame, names))
    of_all = {"list": reverse("transactions:list"), "suffix": suffix, "masked": masked}
    for each in found:
        row = {**each, **of_all}
        uuid = str(row["uuid"])
        cells = (column.cell(row) for column in shown)
        row["cells"] = filled(markup, *cells, uuid=uuid, number=row["transaction_id"] or uuid)
        yield row


def _heading(column: Column) -> django_tables2.Column:
    heading = django_tables2.Column(
        column.title, accessor=column.sorts_by or None, orderable=bool(column.sorts_by)
    )
    heading.is_number = column.number
    return heading


def _frame(name: str) -> SafeString:
    """The cell around a value. A further column says its name on a phone, which has no header."""
    further = "" if name in DEFAULT_COLUMNS else filled(' data-title="{}"', COLUMNS[name].title)
    kind = f"cell-{name}{' number' if COLUMNS[name].number else ''}"
    return filled('<td class="{}"{}>{{}}</td>', kind, further)
