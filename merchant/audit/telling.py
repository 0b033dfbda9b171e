"""How an entry of the audit is told to people, and to spreadsheets."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from merchant.models import AuditEvent

# More than anybody reads in a spreadsheet; a narrower period gives the rest.
ROWS_AT_MOST = 100_000
_AT_ONCE = 2000
_TITLES = (
    "Number,Time (UTC),Person,Event,Object,Details,Address,Request ID,Hash of the entry before,Hash".split(
        ","
    )
)
# What makes a spreadsheet take a text for a formula, plain or full-width.
_TRIGGERS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@dataclass(frozen=True)
class Detail:
    """One thing that an entry says; `before` and `after` when something was changed, else `after` alone."""

    name: str
    after: str
    before: str = ""
    changed: bool = False


def details(entry: AuditEvent) -> list[Detail]:
    """What an entry says, changes first as far as they are changes."""
    data = dict(entry.data)
    before, after = data.get("before"), data.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        del data["before"], data["after"]
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        changes = [
            Detail(_name(each), _said(after.get(each)), _said(before.get(each)), True) for each in names
        ]
    elif "before" in data and "after" in data:
        del data["before"], data["after"]
        changes = [_change("value", before, after)]
    else:
        changes = []
    return [*changes, *(Detail(_name(name), _said(value)) for name, value in data.items())]


def _change(name: str, before: Any, after: Any) -> Detail:
    return Detail(_name(name), _said(after), _said(before), changed=True)


def csv_lines(entries: QuerySet[AuditEvent]) -> Iterator[bytes]:
    """The newest entries as CSV (UTF-8 with its mark, CRLF), with what is needed to recompute the chain."""
    yield _line(_TITLES, "utf-8-sig")
    for entry in islice(_newest_first(entries), ROWS_AT_MOST):
        who = entry.user.email if entry.user else ""
        at = entry.at.astimezone(dt.UTC).isoformat()
        said = json.dumps(entry.data, ensure_ascii=False, sort_keys=True)
        values = [entry.number, at, who, entry.event, entry.subject, said, entry.address or ""]
        yield _line([*values, entry.request_id, entry.previous_hash, entry.hash])


def _newest_first(entries: QuerySet[AuditEvent]) -> Iterator[AuditEvent]:
    """A few at a time, each few by a statement of its own: nothing is kept open while somebody downloads."""
    rest = entries.select_related("user").order_by("-pk")
    few = list(rest[:_AT_ONCE])
    while few:
        yield from few
        few = list(rest.filter(pk__lt=few[-1].pk)[:_AT_ONCE])


def _line(values: list[Any], encoding: str = "utf-8") -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(_harmless(value) for value in values)
    return line.getvalue().encode(encoding)


def _harmless(value: Any) -> Any:
    """A text that no spreadsheet computes."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_TRIGGERS) else value


def _name(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _said(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
