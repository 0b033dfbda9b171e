"""What is sent beside a form's fields changes nothing, and ids of another merchant lead nowhere."""

import re

import pytest
from django.core.cache import cache
from django.db import models, transaction
from django.test import Client as Browser

from merchant.models import Merchant, User
from tests.conftest import signed_in
from tests.security import rows
from tests.security.places import THEIRS, read
from tests.security.requests import Place
from tests.test_access import FILLED_IN, address_of

# PaySuper's own door takes no forms: it reads a body that is signed.
UNSIGNED = ("/webhooks/paysuper/",)
# What a form offers where it means a row.
ID = re.compile(r"^(\d+|[0-9a-f]{24}|[0-9a-f-]{36})$")


def planted(field: models.Field, user: User, merchant: Merchant) -> str:
    """Something that this column would take."""
    if field.related_model is User:
        return str(user.pk)
    if field.related_model is Merchant:
        return str(merchant.pk)
    if field.choices:
        return str(field.choices[-1][0])
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.DecimalField):
        return "73.41"
    if isinstance(field, models.IntegerField):
        return "73"
    if isinstance(field, models.DateTimeField):
        return "2031-07-03T04:01"
    return "planted"


@pytest.fixture
def extra(people: dict[str, User], copper: Merchant) -> dict[str, str]:
    """A value for every column of every table, and for what no form should ever give."""
    found = {}
    for model in rows.tables():
        for field in model._meta.concrete_fields:
            value = planted(field, people["accounting"], copper)
            found |= {field.name: value, field.attname: value}
    return found | {"permissions": "all", "by": str(people["accounting"].pk), "to_state": "done"}


def after(browser: Browser, address: str, form: dict[str, str]) -> dict[str, str]:
    """What the database holds after this was sent; then all is as before."""
    cache.clear()
    with transaction.atomic():
        browser.post(address, form).getvalue()
        held = rows.held()
        transaction.set_rollback(True)
    return held


def test_fields_that_a_form_does_not_have_change_nothing(
    places: list[Place], people: dict[str, User], things: dict[str, object], extra: dict[str, str]
) -> None:
    tried, landed = 0, {}
    for place in places:
        if "POST" not in place.methods or place.pattern.startswith(UNSIGNED):
            continue
        address, own = address_of(place.pattern, things), {*FILLED_IN, *place.fields["POST"]}
        more = {name: value for name, value in extra.items() if name not in own}
        forms = (FILLED_IN, FILLED_IN | more)
        plain, full = (after(signed_in(people["owner"]), address, form) for form in forms)
        tried += len(more)
        if changed := {table for table in plain if plain[table] != full[table]}:
            landed[place.pattern] = changed
    assert landed == {}
    assert tried > 18_000


def test_ids_of_another_merchant_in_any_field_lead_nowhere(
    places: list[Place], neighbours: Merchant, people: dict[str, User], things: dict[str, object]
) -> None:
    foreign, before, asked = rows.ids_of(neighbours), rows.held_by(neighbours), 0
    browser = signed_in(people["owner"])
    for place in places:
        if place.pattern.startswith(("/accounts/", *UNSIGNED)) or "POST" not in place.methods:
            continue
        own = FILLED_IN | {name: values[0] for name, values in place.fields["POST"].items()}
        chosen = [name for name, values in place.fields["POST"].items() if any(map(ID.search, values))]
        for names in [[name] for name in chosen] + [[*own, "selected", "project", "merchant"]]:
            cache.clear()
            with transaction.atomic():
                answer = browser.post(address_of(place.pattern, things), own | dict.fromkeys(names, foreign))
                assert THEIRS.encode() not in read(answer), (place.pattern, names)
                assert rows.strays() == {}, (place.pattern, names)
                assert rows.held_by(neighbours) == before, (place.pattern, names)
                transaction.set_rollback(True)
            asked += len(foreign)
    assert asked > 1_000
