"""Who may not see customers' data neither sees it on any page nor finds anybody by it."""

import io
import itertools
import zipfile

import pytest
from django.test import Client as Browser
from pypdf import PdfReader

from merchant.access import RIGHTS, Right
from merchant.models import User
from tests import test_access
from tests.conftest import signed_in
from tests.test_access import EXPECTED
from transactions import tasks
from transactions.models import Export, RawOrder, Transaction

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


def asked_for(browser: Browser, wanted: str) -> bytes:
    """The file of all rows that this role gets."""
    answer = browser.post("/exports/", {"format": wanted, "query": ""})
    export = Export.objects.get(pk=answer["Location"].strip("/").rpartition("/")[2])
    tasks.make_export(str(export.pk))
    return browser.get(f"/exports/{export.pk}/download/").getvalue()


def texts(content: bytes) -> str:
    """What stands in a file: of an archive in each of its parts, of a PDF on its pages."""
    if content.startswith(b"%PDF"):
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "".join(texts(archive.read(name)) for name in archive.namelist())
    return content.decode(errors="replace")


# A file is read by a connection of its own.
@pytest.mark.django_db(transaction=True)
def test_no_file_of_an_export_tells_who_a_customer_is(
    people: dict[str, User], known: dict[str, object]
) -> None:
    roles = [role for role in WITHOUT if Right.EXPORT in RIGHTS[role]]
    assert roles
    for role, wanted in itertools.product(roles, Export.Format.values):
        found = texts(asked_for(signed_in(people[role]), wanted))
        assert "p…@mail.example" in found or wanted in ("pdf", "zip")
        assert [each for each in TELLTALE if each in found] == []
    for wanted in ("csv", "xlsx"):
        assert COLUMNS["customer_email"] in texts(asked_for(signed_in(people["support"]), wanted))


@pytest.mark.parametrize("role", [role for role in WITHOUT if Right.EXPORT in RIGHTS[role]])
def test_a_file_that_tells_it_is_not_handed_to_who_may_not_see_it(
    role: str, people: dict[str, User], known: dict[str, object]
) -> None:
    support = signed_in(people["support"])
    assert asked_for(support, "csv")
    export = Export.objects.order_by("created_at").last()
    for part in ("download/", "again/"):
        method = "GET" if part == "download/" else "POST"
        answer = signed_in(people[role]).generic(method, f"/exports/{export.pk}/{part}")
        assert answer.status_code == 403
