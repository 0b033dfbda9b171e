"""Filters that make no sense, that nobody has seen yet, and that are given twice."""

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from tests.conftest import HARBOUR, KETTLE, Person
from tests.transactions import rows
from tests.transactions.filtering import chips, found
from transactions.filters import TransactionFilter
from transactions.models import Transaction

NONSENSE = [
    "from=yesterday",
    "from=2026-02-30",
    "from=2026-1-1x",
    "from=01.02.2026",
    "from=99999-01-01",
    "from=2026-03-02&to=2026-03-01",
    "to=%00",
    "period=next_century",
    "status=unknown",
    "status=processed&status=unknown",
    "status=%00",
    f"project={KETTLE}",
    "project=1",
    "project=%00",
    "project=' OR 1=1 --",
    "method=%00",
    "method=" + "x" * 101,
    "country=%00",
    "currency=EUR&currency=%00",
    f"project={HARBOUR}&project={KETTLE}",
    "mode=sandbox",
    "amount_min=much",
    "amount_min=NaN",
    "amount_min=Infinity",
    "amount_min=1e400",
    "amount_min=1e-400",
    "amount_min=" + "9" * 5000,
    "amount_min=0." + "0" * 500 + "1",
    "amount_max=12,5",
    "amount_min=5&amount_max=4.99",
    "amount_max=%00",
    "fulfilment=maybe",
    "type=gift",
    "q=%00",
    "q=a%00b",
    "q=" + "x" * 201,
    "product=%00",
    "product=" + "x" * 201,
]
# Values that nobody has seen yet, such as a method that is seconds old.
UNSEEN = {
    "method=CARRIER_PIGEON": "CARRIER_PIGEON",
    "country=xx": "xx",
    "country=XX": "XX",
    "country=IS": "Iceland",
    "country=de": "de",
    "country=' OR ''='": "' OR ''='",
    "currency=ZZZ": "ZZZ",
    "currency=null": "null",
}
HARMLESS = [
    "to=9999-12-31",
    "from=9999-12-31",
    "from=0001-01-01",
    "to=0001-01-01",
    "from=0001-01-01&to=9999-12-31",
    "amount_min=-5",
    "amount_max=-99999999999999.9999",
    "amount_min=999999999999999",
    "q=' OR 1=1 --",
    "q='; DROP TABLE transactions_transaction; --",
    "q=%25",
    "q=___",
    "q=%5C",
    "q=%ED%A0%80",
    "q=%FF",
    "q={00000000-0000-0000-0000-000000000001}",
    "product=%25",
    "product=%5C",
    "country=DE&country=US",
    "q=a&q=b",
    "period=today&period=yesterday",
    "sort=nonsense",
    "sort=%00",
    "size=7",
    "size=%00",
    "page=3",
    "status[]=processed",
    "%00=%00",
]


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_is_said_and_finds_nothing(ann: Person, filled: list[Transaction], query: str) -> None:
    filters = TransactionFilter(ann.membership.merchant, QueryDict(query))
    assert not filters.found.exists()
    errors = [error for errors in filters.form.errors.values() for error in errors]
    assert errors
    answer = ann.browser.get(f"/transactions/?{query}")
    assert answer.status_code == 200
    assert answer.context["empty"] == "invalid"
    assert all(word in answer.content.decode() for word in errors[0].split()[:2])


@pytest.mark.parametrize("query", UNSEEN)
def test_a_value_that_nobody_has_seen_finds_nothing_and_is_said(
    ann: Person, lantern: Merchant, filled: list[Transaction], query: str
) -> None:
    assert found(lantern, query) == set()
    answer = ann.browser.get(f"/transactions/?{query}")
    assert answer.context["empty"] == "no_match"
    assert [chip.text for chip in answer.context["chips"]] == [UNSEEN[query]]
    # The field keeps it, so that the next change of another filter does not drop it.
    field = answer.context["filter"].form[query.split("=", maxsplit=1)[0]]
    assert UNSEEN[query] in [option.choice_label for option in field if option.data["selected"]]


def test_an_unseen_currency_widens_what_is_found_by_nothing(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    assert found(lantern, "currency=EUR&currency=ZZZ") == found(lantern, "currency=EUR") != set()


def test_what_arrived_a_moment_ago_can_be_filtered_at_once(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    assert found(lantern, "")  # what can be chosen is remembered from now on
    project = lantern.projects.create(paysuper_id="ab" * 12, name="Brand new")
    entry = rows.unsaved(lantern)
    entry.method, entry.country, entry.charge_currency, entry.project = "PIGEON", "IS", "ISK", project
    entry.save(force_insert=True)
    for query in ("method=PIGEON", "country=IS", "currency=ISK", f"project={'ab' * 12}"):
        assert found(lantern, query) == {entry.pk}, query
    assert chips(lantern, f"project={'ab' * 12}") == [("Project", "Brand new", "")]


def test_a_project_of_another_merchant_is_as_unknown_as_one_that_does_not_exist(
    lantern: Merchant, copper: Merchant
) -> None:
    errors = [
        TransactionFilter(lantern, QueryDict(f"project={project}")).form.errors
        for project in (KETTLE, "f" * 24)
    ]
    assert errors[0] == errors[1] != {}
    assert found(copper, f"project={KETTLE}")


@pytest.mark.parametrize("query", HARMLESS)
def test_odd_values_break_nothing(ann: Person, filled: list[Transaction], query: str) -> None:
    for zone in (
        "Europe/Berlin",
        *(("Pacific/Kiritimati", "America/Los_Angeles") if "-12-31" in query else ()),
    ):
        Merchant.objects.update(time_zone=zone)
        answer = ann.browser.get(f"/transactions/?{query}&size=25")
        assert answer.status_code == 200
        assert answer.context["empty"] in ("", "no_match")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            "q period status project product method country currency from to amount_min amount_max fulfilment"
            " type mode sort cursor size".split()
        ),
        st.one_of(st.text(max_size=30), st.integers().map(str), st.decimals().map(str), st.dates().map(str)),
        max_size=4,
    )
)
def test_no_address_breaks_the_list(ann: Person, parameters: dict[str, str]) -> None:
    try:
        answer = ann.browser.get("/transactions/", parameters)
    except UnicodeEncodeError:
        return  # half a surrogate pair cannot even be typed into an address
    assert answer.status_code == 200


def test_several_values_of_a_single_filter_mean_the_last(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    assert found(lantern, "country=DE&country=US") == found(lantern, "country=US") != set()
