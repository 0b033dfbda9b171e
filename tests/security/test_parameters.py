"""What stands in an address leads to no other site and becomes no markup, whatever its name."""

import itertools

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client as Browser

from merchant.models import User
from tests.conftest import PASSWORD, Person, signed_in
from tests.security.places import read
from tests.security.requests import NAMES, Place, Request
from tests.security.test_fuzz import goes_nowhere_else
from tests.test_access import EXPECTED, FILLED_IN

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "https:evil.example",
    "http://testserver@evil.example/",
    "/\t/evil.example",
    " //evil.example",
    "https://testserver.evil.example/",
    "%2f%2fevil.example",
]
WAYS_BACK = ["next", "back", "return_to", "redirect_to", "url", "in", "query", "address", "success_url"]
MARKUP = "'\"><i onx=7></script></textarea>"


def is_ours(location: str) -> bool:
    """Whether a browser that follows stays here, also where it drops white space."""
    plain = "".join(location.split())
    return goes_nowhere_else(plain) and not plain.replace("\\", "/").startswith("//")


def test_no_address_leads_to_another_site(
    places: list[Place], people: dict[str, User], browsers: dict[str, Browser]
) -> None:
    asked, bad = 0, []
    turns = itertools.cycle(ELSEWHERE)
    for place, method in itertools.product(places, ("GET", "POST")):
        for who in ("owner", "anonymous"):
            if EXPECTED[place.pattern, method][who] not in ("302", "login"):
                continue
            # Everything that leads on is tried with some of them; the rest where somebody signs in, below.
            for target in itertools.islice(turns, 3):
                pairs = [(name, target) for name in WAYS_BACK]
                form = [*FILLED_IN.items(), *pairs] if method == "POST" else b""
                headers = {"Referer": target.strip().replace("\t", ""), "HX-Current-URL": target.strip()}
                request = Request(who, method, place.pattern, place.parts, pairs, form, headers)
                browser = signed_in(people[who]) if who in people else Browser()
                cache.clear()
                with transaction.atomic():
                    answer = request.send(browser)
                    transaction.set_rollback(True)
                asked += 1
                led = [answer.get(name, "") for name in ("Location", "HX-Redirect", "HX-Location", "Refresh")]
                bad += [(place.pattern, method, target, each) for each in led if not is_ours(each)]
    assert bad == []
    assert asked > 400


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_in_and_giving_the_password_again_lead_to_no_other_site(ben: Person, target: str) -> None:
    sent = {"login": "ben@example.com", "password": PASSWORD, "next": target}
    old = signed_in(ben.membership.user, minutes_ago=31)
    for answer in (
        Browser().post("/accounts/login/", sent),
        Browser().post("/accounts/login/", sent, query_params={"next": target}),
        old.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": target}),
        ben.browser.get("/accounts/login/", {"next": target}),
        ben.browser.post("/accounts/logout/", {"next": target}),
    ):
        assert answer.status_code == 302
        assert is_ours(answer["Location"])


def test_no_parameter_of_any_page_becomes_markup(places: list[Place], browsers: dict[str, Browser]) -> None:
    pages, parameters, told, bad = 0, 0, 0, []
    for place in places:
        if EXPECTED[place.pattern, "GET"]["owner"] != "200":
            continue
        fields = sorted(place.fields["GET"])
        known = [*fields, *NAMES, *WAYS_BACK, "code", "token", "locale", "<i onx=7>"]
        alone = [[name] for name in {*fields, "cursor", "page", "next"}]
        for who, names in itertools.product(("owner", "anonymous"), [list(dict.fromkeys(known)), *alone]):
            if EXPECTED[place.pattern, "GET"][who] != "200":
                continue
            query = [(name, MARKUP) for name in names]
            answer = Request(who, "GET", place.pattern, place.parts, query).send(browsers[who])
            content = read(answer).decode(errors="replace")
            if "html" not in answer.get("Content-Type", ""):
                continue
            pages, parameters, told = (
                pages + 1,
                parameters + len(names),
                told + content.count("&lt;i onx=7&gt;"),
            )
            if "<i onx" in content or "'\"><" in content:
                bad.append((who, place.pattern, names))
    assert bad == []
    assert pages > 200
    assert parameters > 2_000
    assert told > 50
