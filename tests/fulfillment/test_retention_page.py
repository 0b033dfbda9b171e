"""The owner's page of how long what tells of customers is kept."""

import pytest

from merchant.models import AuditEvent, Merchant, RetentionRules
from tests.conftest import Person, signed_in

PAGE = "/settings/retention/"
TIMES = {"webhook_days": "30", "mail_days": "", "call_days": "90", "export_days": "3"}


def test_an_owner_sets_the_times(ann: Person, lantern: Merchant) -> None:
    page = ann.browser.get(PAGE).content.decode()
    assert "Audit" in page
    assert "Never deleted" in page
    answer = ann.browser.post(PAGE, TIMES)
    assert answer["Location"] == PAGE
    rules = RetentionRules.objects.get()
    assert (rules.webhook_days, rules.mail_days, rules.call_days, rules.export_days) == (30, None, 90, 3)
    entry = AuditEvent.objects.get(event="retention.changed")
    assert entry.data["before"]["webhook_days"] == 365
    assert entry.data["after"] == {"webhook_days": 30, "mail_days": None, "call_days": 90, "export_days": 3}
    ann.browser.post(PAGE, TIMES)
    assert AuditEvent.objects.filter(event="retention.changed").count() == 1


@pytest.mark.parametrize("name", ["webhook_days", "mail_days", "call_days", "export_days"])
@pytest.mark.parametrize("value", ["0", "-1", "3651", "9" * 30, "1.5", "soon", "\0"])
def test_times_that_make_no_sense_change_nothing(
    ann: Person, lantern: Merchant, name: str, value: str
) -> None:
    answer = ann.browser.post(PAGE, TIMES | {name: value})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not RetentionRules.objects.exists()


def test_an_old_session_gives_its_password_first_and_keeps_what_was_typed(
    ann: Person, lantern: Merchant
) -> None:
    browser = signed_in(ann.membership.user, minutes_ago=31)
    assert "reauthenticate" in browser.post(PAGE, TIMES)["Location"]
    assert not RetentionRules.objects.exists()


def test_only_owners_may(ben: Person, lantern: Merchant) -> None:
    assert ben.browser.get(PAGE).status_code == 403
    assert ben.browser.post(PAGE, TIMES).status_code == 403
    assert not RetentionRules.objects.exists()
