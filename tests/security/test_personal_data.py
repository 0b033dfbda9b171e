"""Who may not see customers' data neither sees it on any page nor finds anybody by it."""

import pytest
from django.test import Client as Browser

from merchant.access import RIGHTS, Right
from merchant.models import User
from tests import test_access
from tests.conftest import signed_in
from tests.test_access import EXPECTED
from transactions.models import RawOrder, Transaction

# The people and things of the table of addresses.
exports_folder, order = test_access.exports_folder, test_access.order
people, things = test_access.people, test_access.things
WITHOUT = [role for role in RIGHTS if Right.PERSONAL not in RIGHTS[role]]
COLUMNS = {"customer_email": "petronella.quux@mail.example", "customer_name": "Petronella Quux"}
IN_DOCUMENT = {"phone": "+49 170 5550188", "ip": "198.51.100.77", "email": "petronella.quux@mail.example"}
ADDRESS = {"city": "Quuxhaven", "postal_code": "98117", "state": "Quuxland", "country": "DE"}
TELLTALE = [
    *COLUMNS.values(),
    *IN_DOCUMENT.values(),
    *list(ADDRESS.values())[:3],
    "petronella.quux",
    "5550188",
]


@pytest.fixture
def known(things: dict[str, object]) -> dict[str, object]:
    """What is there, with a customer whom the tests would recognise anywhere."""
    pk = things["<uuid:uuid>"]
    Transaction.objects.filter(pk=pk).update(**COLUMNS)
    raw = RawOrder.objects.get(pk=pk)
    user = {
        "name": "Petronella Quux",
        "address": ADDRESS,
        **IN_DOCUMENT,
        "metadata": {"nick": "petronella.quux"},
    }
    raw.document = {"user": user, "billing_address": ADDRESS, "items": []}
    raw.save()
    return things


def pages(browser: Browser, things: dict[str, object], role: str) -> dict[str, str]:
    """Every page that the role reaches, as it is written."""
    found = {}
    for pattern, method in EXPECTED:
        # A test payment's customer is made up, and its page wants more of it than a bare row.
        if method != "GET" or EXPECTED[pattern, method][role] != "200" or "<int:test_id>" in pattern:
            continue
        address = pattern
        for part, thing in things.items():
            address = address.replace(part, str(thing))
        found[address] = browser.get(address).getvalue().decode(errors="replace")
    return found


@pytest.mark.parametrize("role", WITHOUT)
def test_no_page_tells_who_a_customer_is(
    role: str, people: dict[str, User], known: dict[str, object]
) -> None:
    seen = pages(signed_in(people[role]), known, role)
    assert f"/transactions/{known['<uuid:uuid>']}/" in seen
    assert {address: each for address, page in seen.items() for each in TELLTALE if each in page} == {}


def test_the_same_pages_do_tell_those_who_may_know(people: dict[str, User], known: dict[str, object]) -> None:
    seen = pages(signed_in(people["support"]), known, "support")
    told = {each for page in seen.values() for each in TELLTALE if each in page}
    assert told >= {*COLUMNS.values(), "Quuxhaven", "198.51.100.77"}


@pytest.mark.parametrize("role", WITHOUT)
def test_nobody_is_found_by_what_one_may_not_see(
    role: str, people: dict[str, User], known: dict[str, object]
) -> None:
    card, browser = f"/transactions/{known['<uuid:uuid>']}/", signed_in(people[role])
    for typed in [*TELLTALE, "PETRONELLA.QUUX@MAIL.EXAMPLE", "@mail.example", "quux"]:
        for address in ("/transactions/", "/transactions/figures/"):
            assert card not in browser.get(address, {"q": typed}).getvalue().decode(), typed
    found = signed_in(people["support"]).get("/transactions/", {"q": "petronella.quux"})
    assert card in found.getvalue().decode()
