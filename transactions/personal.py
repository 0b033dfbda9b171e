"""Personal data, masked for everybody who need not see it (contract §20.10).

Texts and columns are masked by the same patterns, so that pages and exports say the same.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Func, TextField, Value

# `\Z` and not `$`, which stops before a last line end in Python and not in PostgreSQL.
# The first letter and the domain: "m…@example.com".
_EMAIL = (r"(?s)^(.).*?(?=@[^@]*\Z|\Z)", r"\1…")
# Initials: "M. L.".
_NAME = (r"(\S)\S*", r"\1.")
_PHONE = (r"(?s)^(?:.*(?=.{3}\Z)|.{1,2}\Z)", "…")
_TAIL = (r"(?s)^(?:.*(?=.{4}\Z)|.{1,3}\Z)", "…")
# The network, not the person: "203.0.…", "2001:db8:…".
_IP = (r"(?s)^([^.:]*[.:]+[^.:]*[.:]|).+\Z", r"\1…")
_ALL = (r"(?s)^.+\Z", "")

# Which members of PaySuper's documents are about a person, wherever they stand (contract §6.3, §17).
_MEMBERS = {
    "email": _EMAIL,
    "receipt_email": _EMAIL,
    "notify_sale_email": _EMAIL,
    "notify_new_region_email": _EMAIL,
    "phone": _PHONE,
    "receipt_phone": _PHONE,
    "ip": _IP,
    "account": _TAIL,
    "masked": _TAIL,
    "first6": _ALL,
    "city": _ALL,
    "postal_code": _ALL,
    "state": _ALL,
    "zip": _ALL,
    # Whoever knows this address sees the receipt with everything on it.
    "receipt_url": _ALL,
    "receipt_id": _ALL,
}
_PEOPLE = ("user",)
# What game and shop pass along may say anything of the customer.
_GONE = {
    *_MEMBERS,
    *_PEOPLE,
    "metadata",
    "private_metadata",
    "issuer",
    "last4",
    "holder",
    "payer",
    "customer",
}


def email(text: str) -> str:
    """An e-mail address of which the domain and the first letter are left."""
    return _replaced(text, _EMAIL)


def name(text: str) -> str:
    """The initials of a name."""
    return _replaced(text, _NAME)


def email_of(column: str) -> Func:
    """The column as `email` shows it, for a select."""
    return _in_sql(column, _EMAIL)


def name_of(column: str) -> Func:
    """The column as `name` shows it, for a select."""
    return _in_sql(column, _NAME)


def masked(document: Any) -> Any:
    """A copy of a document of PaySuper without anything that tells who the customer is."""
    if isinstance(document, list):
        return [masked(each) for each in document]
    if not isinstance(document, Mapping):
        return document
    return {key: _member(key, value) for key, value in document.items()}


def erased(document: Any) -> Any:
    """A copy of a document of PaySuper in which nothing of the customer is left but the country."""
    if isinstance(document, list):
        return [erased(each) for each in document]
    if not isinstance(document, Mapping):
        return document
    return {key: None if key in _GONE else erased(value) for key, value in document.items()}


def _member(key: str, value: Any) -> Any:
    if key in _PEOPLE and isinstance(value, Mapping):
        person = masked(value)
        person["name"] = name(value["name"]) if isinstance(value.get("name"), str) else None
        return {**person, "metadata": None}
    if key in _MEMBERS:
        return _replaced(value, _MEMBERS[key]) if isinstance(value, str) else None
    return masked(value)


def _replaced(text: str, rule: tuple[str, str]) -> str:
    return re.sub(rule[0], rule[1], text)


def _in_sql(column: str, rule: tuple[str, str]) -> Func:
    pattern, replacement = rule
    return Func(
        F(column),
        Value(pattern),
        Value(replacement),
        Value("g"),
        function="regexp_replace",
        output_field=TextField(),
    )
