"""Rows for the tests of exports."""

import datetime as dt
import re
import secrets
import uuid
from decimal import Decimal

from merchant.models import Merchant, Project
from transactions.exports import Heading
from transactions.models import Transaction

HEADING = Heading(
    "Café Nórd GmbH", "Europe/Berlin", "Status: Processed · Period: 1–30 Nov 2026", "Ann Accountant"
)
START = dt.datetime(2026, 10, 24, 22, 0, tzinfo=dt.UTC)


def make_project(name="Skyforge") -> Project:
    merchant = Merchant.objects.create(
        paysuper_id=secrets.token_hex(12), name="Café Nórd GmbH", api_token="t"
    )
    return Project.objects.create(merchant=merchant, paysuper_id=secrets.token_hex(12), name=name)


def unsaved(project, number=0, **values) -> Transaction:
    """An ordinary processed sale; `number` moves it an hour later."""
    at = START + dt.timedelta(hours=number)
    usual = {
        "uuid": uuid.uuid4(),
        "merchant": project.merchant,
        "project": project,
        "type": "order",
        "status": "processed",
        "created_at": at,
        "transaction_id": f"tx-{number:05}",
        "product": "Golden sword",
        "country": "DE",
        "method": "BANKCARD",
        "method_title": "Bank card",
        "customer_id": f"c-{number}",
        "customer_name": "Jane Doe",
        "customer_email": "jane@example.com",
        "is_production": True,
        "total_amount": Decimal("11.89"),
        "currency": "EUR",
        "charge_amount": Decimal("11.89"),
        "charge_currency": "EUR",
        "gross_amount": Decimal("13.00"),
        "tax_amount": Decimal("2.08"),
        "fees_amount": Decimal("0.95"),
        "net_amount": Decimal("9.97"),
        "payout_currency": "USD",
        "asked_at": at,
    }
    return Transaction(**usual | values)


def sale(project, number=0, **values) -> Transaction:
    """The same, in the database."""
    row = unsaved(project, number, **values)
    row.save(force_insert=True)
    return row


def everything():
    """All rows, newest first."""
    return Transaction.objects.order_by("-created_at", "-uuid")


HOSTILE = [
    "=1+1",
    "+SUM(A1)",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\uff1d1+1",
    "\uff0d1\uff0dx",
    '=HYPERLINK("http://x";"y")',
    "-5",
    "+4930123456",
    "00012345678901234567",
    "1E10",
    '"quoted", with comma; and semicolon',
    "two\nlines",
    "two\r\nlines",
    "\\.",
    "'apostrophe",
    "<script>alert(1)</script>&amp;<img src=file:///etc/passwd>",
    "]]></t></is></c>",
    "{{ 7|add:7 }}{% now 'Y' %}%s %(a)s %%",
    "_x0041_ and _x_",
    "שלום \u202eevil\u202c عربى",
    "Меч Ξίφος 黄金の剣 😀👨‍👩‍👧",
    "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
    "\u0301alone",
    "bell\x07 and escape\x1b[31m and \ufffe\uffff and \x85\u2028",
    " spaces around ",
    "W" * 500,
    "long words " * 45,
]


def guarded(text: str) -> str:
    """What a CSV says instead, so that no spreadsheet takes it for a formula."""
    formula = text.lstrip(" ")[:1] in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
    number = re.fullmatch(r"[+-][0-9]+([.,][0-9]+)?", text)
    return f"'{text}" if formula and not number else text


def decoded(text: str) -> str:
    """What Excel makes of the codes in a text of a workbook, which openpyxl leaves as they are."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda code: chr(int(code[1], 16)), text)


def lookalikes() -> list[dict]:
    """Values for one row a hostile text, in every column that a stranger can fill."""
    return [
        {
            "product": text[:500],
            "customer_name": text[:500],
            "customer_id": text[:255],
            "customer_email": text[:320],
            "transaction_id": text[:200],
            "method_title": text[:100],
            "cancellation_code": text[:20],
        }
        for text in HOSTILE
    ]
