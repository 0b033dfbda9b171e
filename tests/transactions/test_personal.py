"""Who customers are is masked by one set of patterns, on pages and in selects alike."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from tests.transactions import rows
from transactions import personal
from transactions.models import Transaction


@pytest.mark.parametrize(
    ("shown", "masked"),
    [
        ("mara@example.com", "m…@example.com"),
        ("m@example.com", "m…@example.com"),
        ("ли@пример.рф", "л…@пример.рф"),
        ("mara", "m…"),
        ("", ""),
        ("a@b@c", "a…@c"),
        ("@x", "@…"),
        ("a\nb@c", "a…@c"),
    ],
)
def test_of_an_address_the_first_letter_and_the_domain_are_left(shown: str, masked: str) -> None:
    assert personal.email(shown) == masked


@pytest.mark.parametrize(
    ("shown", "masked"), [("Mara Lindqvist", "M. L."), ("Ли", "Л."), ("", ""), ("  a  bc ", "  a.  b. ")]
)
def test_of_a_name_the_initials_are_left(shown: str, masked: str) -> None:
    assert personal.name(shown) == masked


@pytest.mark.parametrize(
    ("member", "shown", "masked"),
    [
        ("ip", "203.0.113.24", "203.0.…"),
        ("ip", "2001:db8::1", "2001:db8:…"),
        ("ip", "garbage", "…"),
        ("ip", "", ""),
        ("phone", "+49 170 1234567", "…567"),
        ("phone", "12", "…"),
        ("account", "79161234567", "…4567"),
        ("masked", "400000...0077", "…0077"),
        ("city", "Bremen", ""),
        ("receipt_url", "https://x.example/r/1", ""),
    ],
)
def test_members_of_documents_are_masked_wherever_they_stand(member: str, shown: str, masked: str) -> None:
    document = {member: shown, "list": [{member: shown}], "user": {member: shown, "id": "7"}}
    assert personal.masked(document) == {
        member: masked,
        "list": [{member: masked}],
        "user": {member: masked, "id": "7", "name": None, "metadata": None},
    }


@pytest.mark.parametrize("odd", [None, 5, True, ["a"], {"a": "b"}])
def test_what_is_no_text_is_left_out(odd: object) -> None:
    assert personal.masked({"email": odd, "user": {"name": odd}})["email"] is None
    assert personal.masked({"user": odd if not isinstance(odd, dict) else {"name": odd}}) is not None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    email=st.text(st.sampled_from("aä@. \n…Ж😀"), max_size=12),
    name=st.text(st.sampled_from("aä.' \nЖ😀"), max_size=12),
)
def test_a_select_masks_as_the_pages_do(lantern: Merchant, email: str, name: str) -> None:
    entry = rows.unsaved(lantern)
    entry.customer_email, entry.customer_name = email, name
    entry.save()
    found = Transaction.objects.filter(pk=entry.pk).values_list(
        personal.email_of("customer_email"), personal.name_of("customer_name")
    )
    assert found[0] == (personal.email(email), personal.name(name))
