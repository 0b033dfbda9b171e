"""Every address as a place to send something to: its methods, its parts, and the fields of its forms."""

import pytest
from django.http import HttpResponseBase
from django.test import Client as Browser
from django.urls import Resolver404, get_resolver, resolve

from fulfillment.models import Action, Batch, TestPayment
from merchant import invitations
from merchant.models import Merchant, User
from tests.conftest import signed_in
from tests.security.forms import Form, forms_of
from tests.security.requests import Place
from tests.test_access import EXPECTED, FILLED_IN, WHO, address_of, walk
from tests.transactions.schedules import daily
from transactions.models import Export, Note, SavedView, Transaction

THEIRS, OURS = "Kupferkessel-7341", "Laternenwerk-7341"


@pytest.fixture
def browsers(people: dict[str, User]) -> dict[str, Browser]:
    return {who: signed_in(people[who]) if who in people else Browser() for who in WHO}


@pytest.fixture
def neighbours(things: dict[str, object], people: dict[str, User], copper: Merchant) -> Merchant:
    """Another merchant, whose orders would be known anywhere; so would ours."""
    TestPayment.objects.update(return_token="t" * 22)
    for mine, mark in ((True, OURS), (False, THEIRS)):
        found = Transaction.objects.exclude(merchant=copper) if mine else copper.transactions
        found.update(product=mark, customer_name=mark, customer_email=f"{mark}@example.com")
    mine, owner = {"merchant": copper}, people["stranger"]
    entry = copper.transactions.first()
    Note.objects.create(**mine, transaction=entry, text=THEIRS, written_by=owner)
    SavedView.objects.create(**mine, owner=owner, name=THEIRS, query=f"q={THEIRS}", shared=True)
    Export.objects.create(**mine, requested_by=owner, format="csv", query=f"q={THEIRS}")
    Batch.objects.create(**mine, requested_by=owner, kind="fulfil", key=THEIRS)
    Action.objects.create(
        **mine, transaction=entry, kind="refund", state="done", requested_by=owner, reference=THEIRS
    )
    daily(copper, owner, owner, name=THEIRS)
    invitations.invite(copper, f"{THEIRS}@example.com".lower(), "support", owner)
    return copper


@pytest.fixture
def places(neighbours: Merchant, things: dict[str, object], browsers: dict[str, Browser]) -> list[Place]:
    """Every address, with the methods that it takes and what the forms of all pages send to it."""
    patterns = sorted(set(walk(get_resolver())))
    addresses = {address_of(pattern, things): pattern for pattern in patterns}
    pages = []
    for who in ("owner", "anonymous"):
        for address in addresses:
            answer = browsers[who].get(address)
            content = read(answer)
            if "html" in answer.get("Content-Type", ""):
                pages.append((address, content.decode()))
    found = {pattern: {"GET": {}, "POST": {}} for pattern in patterns}
    for form in forms_of(pages):
        if pattern := pattern_of(form, addresses):
            for name, values in form.values.items():
                known = found[pattern][form.method].setdefault(name, [])
                # The mark of our own orders is sent by nobody: it would only come back.
                known += [value for value in values if value not in known and OURS not in value]
                known += [] if known else [""]
    for fields in found.values():
        for name, values in fields["POST"].items():
            values.extend([FILLED_IN[name]] if name in FILLED_IN else [])
    assert sum(len(fields["POST"]) for fields in found.values()) > 150
    return [
        Place(
            pattern,
            methods(pattern),
            {part: str(thing) for part, thing in things.items() if part in pattern},
            found[pattern],
        )
        for pattern in patterns
    ]


def pattern_of(form: Form, addresses: dict[str, str]) -> str:
    """Where a form leads; "" for another id than those of the addresses."""
    if form.action in addresses:
        return addresses[form.action]
    try:
        return f"/{resolve(form.action).route}"
    except Resolver404:
        return ""


def methods(pattern: str) -> list[str]:
    """What the table of addresses says that a view takes: more POST than GET, HEAD at times."""
    gets, posts = (
        bool(set(EXPECTED[pattern, method].values()) - {"405", "login"}) for method in ("GET", "POST")
    )
    if gets and posts:
        return ["GET"] * 4 + ["POST"] * 6
    return ["POST"] if posts else ["GET"] * 9 + ["HEAD"]


def read(answer: HttpResponseBase) -> bytes:
    """The whole answer; the file behind it is closed, also where only its headers were asked for."""
    content = answer.getvalue()
    for close in answer._resource_closers:
        close()
    return content
