"""Roles change, people leave and are shut out at once, and a team never loses its last owner."""

import threading

import pytest
from django.db import connection
from django.test import Client as Browser

from merchant import people, setup
from merchant.access import RIGHTS, Right
from merchant.management.commands import add_member
from merchant.models import AuditEvent, Membership, Merchant, Role, User
from tests.conftest import PASSWORD, Person, person, signed_in

OWNERS_STAY = "A team keeps at least one owner"


def sign_in(email: str) -> Browser:
    """A browser that went through the sign-in page."""
    browser = Browser()
    answer = browser.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def does(who: Person, address: str, **posted: str) -> str:
    """The text of the page that follows a post."""
    return who.browser.post(address, posted, follow=True).content.decode()


def of(who: Person) -> str:
    return f"/team/{who.membership.pk}/"


def again(who: Person) -> Membership:
    return Membership.with_ended.get(pk=who.membership.pk)


def test_who_is_shut_out_is_signed_out_of_every_browser_at_once(ann: Person, ben: Person) -> None:
    office, phone = sign_in("ben@example.com"), sign_in("ben@example.com")
    assert "is shut out" in does(ann, f"{of(ben)}deactivate/")
    for browser in (office, phone, ben.browser):
        assert browser.get("/transactions/")["Location"].startswith("/accounts/login/")
    assert sign_in("ben@example.com").get("/transactions/").status_code == 403
    assert AuditEvent.objects.filter(event="member.deactivated", user=ann.membership.user).count() == 1


def test_shutting_out_twice_is_noted_once(ann: Person, ben: Person) -> None:
    for _ in range(2):
        does(ann, f"{of(ben)}deactivate/")
    assert AuditEvent.objects.filter(event="member.deactivated").count() == 1


def test_who_was_shut_out_may_be_let_back_in_with_the_old_role(ann: Person, ben: Person) -> None:
    does(ann, f"{of(ben)}deactivate/")
    assert "No longer in the team" in ann.browser.get("/team/").content.decode()
    assert "is in the team again" in does(ann, f"{of(ben)}let-back-in/")
    assert sign_in("ben@example.com").get("/transactions/").status_code == 200
    assert again(ben).role == "support"


def test_who_works_for_another_merchant_keeps_that_work(ann: Person, ben: Person, copper: Merchant) -> None:
    setup.add_member(copper, "ben@example.com", PASSWORD, "support")
    does(ann, f"{of(ben)}deactivate/")
    page = sign_in("ben@example.com").get("/transactions/").content.decode()
    assert "Copper Kettle Ltd" in page


def test_a_new_role_is_noted_with_the_old_one(ann: Person, ben: Person) -> None:
    assert "ben@example.com is now Accounting." in does(ann, of(ben), role="accounting")
    assert again(ben).role == "accounting"
    noted = AuditEvent.objects.get(event="member.role_changed")
    assert (noted.user, noted.data["before"], noted.data["after"]) == (
        ann.membership.user,
        "support",
        "accounting",
    )


def test_the_same_role_changes_nothing(ann: Person, ben: Person) -> None:
    assert "is already Support" in does(ann, of(ben), role="support")
    assert not AuditEvent.objects.filter(event="member.role_changed").exists()


@pytest.mark.parametrize("role", ["", "king", "Owner", "merchant_owner", "\0"])
def test_a_role_that_does_not_exist_is_refused(ann: Person, ben: Person, role: str) -> None:
    ann.browser.post(of(ben), {"role": role})
    assert again(ben).role == "support"


def test_the_last_owner_stays_owner(ann: Person) -> None:
    assert OWNERS_STAY in does(ann, of(ann), role="view_only")
    assert OWNERS_STAY in does(ann, f"{of(ann)}deactivate/")
    assert OWNERS_STAY in does(ann, "/account/leave/", merchant=str(ann.membership.merchant_id))
    assert (again(ann).role, again(ann).ended_at) == ("owner", None)


def test_an_owner_who_was_shut_out_does_not_count_as_owner(ann: Person, lantern: Merchant) -> None:
    other = person(lantern, "otto", "owner")
    does(ann, f"{of(other)}deactivate/")
    assert OWNERS_STAY in does(ann, of(ann), role="view_only")


def test_the_command_keeps_the_last_owner_too(ann: Person, lantern: Merchant) -> None:
    options = {"merchant_id": lantern.paysuper_id, "email": "ann@example.com", "password": PASSWORD}
    with pytest.raises(add_member.CommandError, match=OWNERS_STAY):
        add_member.Command().handle(**options, role="support")
    add_member.Command().handle(**options, role="owner")
    assert again(ann).role == "owner"


def test_one_of_two_owners_may_leave(ann: Person, lantern: Merchant) -> None:
    other = person(lantern, "otto", "owner")
    page = does(ann, "/account/leave/", merchant=str(lantern.pk))
    assert "You do not work for Lantern Works GmbH any more." in page
    assert ann.browser.get("/transactions/").status_code == 403
    assert other.browser.get("/team/").status_code == 200
    assert AuditEvent.objects.get(event="member.left").user == ann.membership.user


def test_leaving_means_the_merchant_that_the_page_has_shown(ben: Person, copper: Merchant) -> None:
    does(ben, "/account/leave/", merchant=str(copper.pk))
    assert again(ben).ended_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["demote", "deactivate"])
def test_two_owners_who_turn_on_each_other_leave_one(ann: Person, lantern: Merchant, act: str) -> None:
    otto = person(lantern, "otto", "owner")
    start, failed = threading.Barrier(2), []

    def turn(on: Membership, by: User) -> None:
        start.wait()
        try:
            people.deactivate(on, by) if act == "deactivate" else people.change_role(on, "support", by)
        except people.LastOwner:
            failed.append(by)
        finally:
            connection.close()

    pairs = [(otto.membership, ann.membership.user), (ann.membership, otto.membership.user)]
    threads = [threading.Thread(target=turn, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(failed) == 1
    assert Membership.objects.filter(merchant=lantern, role=Role.OWNER).count() == 1


@pytest.mark.parametrize("act", ["deactivate/", "let-back-in/", ""])
def test_changing_people_asks_for_the_password_again(ann: Person, ben: Person, act: str) -> None:
    browser = signed_in(ann.membership.user, minutes_ago=31)
    answer = browser.post(f"{of(ben)}{act}", {"role": "owner"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert (again(ben).role, again(ben).ended_at) == ("support", None)


def test_people_of_another_merchant_do_not_exist(ann: Person, cleo: Person) -> None:
    for act in ("", "deactivate/", "let-back-in/"):
        assert ann.browser.post(f"{of(cleo)}{act}", {"role": "view_only"}).status_code == 404
    assert (again(cleo).role, again(cleo).ended_at) == ("owner", None)


def test_the_page_of_rights_is_the_table_that_decides(ben: Person) -> None:
    page = ben.browser.get("/team/rights/").content.decode()
    for right in Right:
        row = page[page.index(f'<th scope="row">{right.label}</th>') :].split("</tr>")[0]
        says = ["yes" in cell for cell in row.split("<td>")[1:]]
        assert says == [right in RIGHTS[role] for role in Role], right


def test_one_switches_between_merchants_and_sees_whose_data_it_is(ben: Person, copper: Merchant) -> None:
    Membership.objects.create(user=ben.membership.user, merchant=copper, role="view_only")
    assert "<bdi>Lantern Works GmbH</bdi></a>" in ben.browser.get("/transactions/").content.decode()
    ben.browser.post("/account/merchant/", {"merchant": copper.pk})
    page = ben.browser.get("/transactions/").content.decode()
    assert "<bdi>Copper Kettle Ltd</bdi></a>" in page
    assert "Lantern" not in page
    assert ben.browser.get("/to-fulfil/").status_code == 403


@pytest.mark.parametrize("wanted", ["", "0", "x", "9" * 40, "\0"])
def test_one_cannot_switch_to_a_merchant_of_others(ben: Person, copper: Merchant, wanted: str) -> None:
    for each in (wanted, str(copper.pk)):
        ben.browser.post("/account/merchant/", {"merchant": each})
        assert "Lantern Works" in ben.browser.get("/transactions/").content.decode()
