"""Saved views: kept under a name, shared with the team, opened first; nobody meddles with those of others."""

import pytest
from django.conf import settings as live
from django.http import QueryDict
from django.test import TestCase

from merchant import setup
from merchant.models import AuditEvent, Membership, Merchant
from tests.conftest import PASSWORD, Person, person
from tests.transactions.test_pages import HOSTILE, seen, text
from transactions import preferences, saving
from transactions.models import SavedView

VIEWS = "/transactions/views/"


def save(who: Person, name: str, query: str = "status=processed", **more: str) -> SavedView | None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = who.browser.post(VIEWS, {"name": name, "query": query, **more})
    assert answer.status_code == 302
    return SavedView.objects.filter(name=name, owner=who.membership.user).first()


def bar(who: Person, address: str = "/transactions/?view=all") -> str:
    return seen(text(who.browser, address).split('id="views"')[1].split("</nav>")[0])


def told(who: Person) -> str:
    return seen(text(who.browser, VIEWS))


@pytest.fixture
def seller(lantern: Merchant) -> Person:
    return person(lantern, "dora", "accounting")


def test_a_view_keeps_filters_and_order_but_neither_page_nor_columns(ann: Person, mirrored: Merchant) -> None:
    query = (
        "status=refunded&status=processed&q=&sort=-amount&cursor=last&size=100&view=all&utm=1&period=today"
    )
    view = save(ann, "  Dear   ones ", query)
    assert view is None  # blanks are joined
    view = SavedView.objects.get(name="Dear ones")
    assert QueryDict(view.query) == QueryDict("period=today&sort=-amount&status=processed&status=refunded")
    assert "Dear ones" in bar(ann)
    answer = ann.browser.get(f"/transactions/?{view.query}")
    assert answer.context["is_saved"]
    assert "Save view" not in seen(answer.content.decode())


def test_own_views_are_seen_by_nobody_else(
    ann: Person, ben: Person, cleo: Person, mirrored: Merchant
) -> None:
    view = save(ann, "Only mine")
    for other, status in ((ben, 404), (cleo, 404)):
        assert "Only mine" not in text(other.browser, "/transactions/")
        assert "Only mine" not in told(other)
        for verb in ("", "default/", "delete/"):
            assert other.browser.post(f"{VIEWS}{view.pk}/{verb}", {"name": "x"}).status_code == status
    assert SavedView.objects.get() == view


@pytest.mark.django_db(transaction=True)
def test_shared_views_are_seen_by_the_team_and_noted(
    ann: Person, ben: Person, vera: Person, cleo: Person, mirrored: Merchant
) -> None:
    view = save(ann, "For all", shared="yes")
    for colleague in (ann, ben, vera):
        assert "For all" in bar(colleague)
    assert "For all" not in text(cleo.browser, "/transactions/")
    event = AuditEvent.objects.get(event="view.shared")
    assert (event.user, event.subject, event.data) == (
        ann.membership.user,
        str(view.pk),
        {"name": "For all"},
    )
    ben.browser.post(f"{VIEWS}{view.pk}/", {"name": "For all", "shared": "yes"})
    ben.browser.post(f"{VIEWS}{view.pk}/", {"name": "Ann's again"})
    assert "Ann's again" in bar(ann)
    assert not vera.browser.get("/transactions/").context["views"]
    ben_saw = AuditEvent.objects.filter(event="view.unshared", user=ben.membership.user)
    assert ben_saw.count() == 1


def test_own_views_are_not_noted(ann: Person, mirrored: Merchant) -> None:
    view = save(ann, "Only mine")
    ann.browser.post(f"{VIEWS}{view.pk}/", {"name": "Still mine"})
    ann.browser.post(f"{VIEWS}{view.pk}/delete/")
    assert not AuditEvent.objects.filter(event__startswith="view.").exists()
    assert not SavedView.objects.exists()


def test_who_only_looks_keeps_views_but_shares_none(ann: Person, vera: Person, mirrored: Merchant) -> None:
    assert save(vera, "Looking")
    refused = vera.browser.post(VIEWS, {"name": "Pushing", "query": "type=order", "shared": "yes"})
    assert refused.status_code == 403
    mine = SavedView.objects.get(name="Looking")
    assert vera.browser.post(f"{VIEWS}{mine.pk}/", {"name": "Looking", "shared": "yes"}).status_code == 403
    team = save(ann, "For all", shared="yes")
    assert vera.browser.post(f"{VIEWS}{team.pk}/", {"name": "Mine now"}).status_code == 403
    assert vera.browser.post(f"{VIEWS}{team.pk}/delete/").status_code == 403
    assert vera.browser.post(f"{VIEWS}{team.pk}/default/", {"default": "yes"}).status_code == 302
    assert not SavedView.objects.get(name="Looking").shared


def test_accounting_shares(seller: Person, mirrored: Merchant) -> None:
    assert save(seller, "Books", shared="yes").shared


def test_names_are_unique_for_a_person_and_for_the_team(ann: Person, ben: Person, mirrored: Merchant) -> None:
    save(ann, "Paid")
    assert save(ann, "PAID") is None
    assert "You have a view of this name already." in text(ann.browser, "/transactions/?view=all")
    assert save(ben, "Paid")  # another person's own
    assert save(ann, "Team", shared="yes")
    assert save(ben, "team", shared="yes") is None
    assert "The team has a view of this name already." in text(ben.browser, "/transactions/?view=all")
    own = SavedView.objects.get(name="Paid", owner=ann.membership.user)
    ann.browser.post(f"{VIEWS}{own.pk}/", {"name": "Team", "shared": "yes"})
    own.refresh_from_db()
    assert (own.name, own.shared) == ("Paid", False)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "nul\0", "bell\a"])
def test_a_view_needs_a_name(ann: Person, mirrored: Merchant, name: str) -> None:
    ann.browser.post(VIEWS, {"name": name, "query": "status=processed"})
    assert not SavedView.objects.exists()
    assert "Give the view a name" in text(ann.browser, "/transactions/?view=all")


@pytest.mark.parametrize(
    "query",
    ["", "cursor=last", "status=on_the_moon", "from=x", "q=nul%00", "q=" + "x" * 3000, "amount_min=1e99"],
)
def test_what_is_no_list_is_not_saved(ann: Person, mirrored: Merchant, query: str) -> None:
    save(ann, "Nonsense", query)
    assert not SavedView.objects.exists()


def test_names_are_shown_and_never_executed(ann: Person, mirrored: Merchant) -> None:
    save(ann, HOSTILE[:60], "q=mara")
    for address in ("/transactions/?view=all", VIEWS):
        assert "<script>alert" not in text(ann.browser, address)


def test_nobody_hoards_views(ann: Person, mirrored: Merchant) -> None:
    for number in range(saving.MOST):
        SavedView.objects.create(
            merchant=mirrored, owner=ann.membership.user, name=f"View {number}", query="type=order"
        )
    assert save(ann, "One more") is None


def test_the_list_opens_with_the_default_and_everything_is_one_click_away(
    ann: Person, ben: Person, mirrored: Merchant
) -> None:
    view = save(ann, "Paid", default="yes")
    answer = ann.browser.get("/transactions/")
    assert (answer.status_code, answer["Location"]) == (302, f"/transactions/?{view.query}")
    page = ann.browser.get(answer["Location"])
    assert all(row["status"] == "processed" for row in page.context["page"].rows)
    assert 'href="/transactions/?view=all"' in page.content.decode()
    # Removing the last filter does not lead in a circle.
    [chip] = page.context["chips"]
    everything = ann.browser.get(f"/transactions/?{chip.query_without}")
    assert everything.status_code == 200
    assert not everything.context["chips"]
    assert ben.browser.get("/transactions/").status_code == 200


def test_the_filters_of_a_page_that_is_open_are_believed(ann: Person, mirrored: Merchant) -> None:
    save(ann, "Paid", default="yes")
    part = ann.browser.get("/transactions/", headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert not part.context["chips"]


def test_a_default_can_be_any_view_that_one_sees_and_be_given_up(
    ann: Person, ben: Person, mirrored: Merchant
) -> None:
    view = save(ann, "Team", shared="yes")
    ben.browser.post(f"{VIEWS}{view.pk}/default/", {"default": "yes"})
    assert ben.browser.get("/transactions/").status_code == 302
    ben.browser.post(f"{VIEWS}{view.pk}/default/", {"default": "no"})
    assert ben.browser.get("/transactions/").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["unshared", "deleted"])
def test_a_default_that_is_gone_opens_everything(
    ann: Person, ben: Person, mirrored: Merchant, how: str
) -> None:
    view = save(ann, "Team", shared="yes")
    ben.browser.post(f"{VIEWS}{view.pk}/default/", {"default": "yes"})
    assert ben.browser.get("/transactions/").status_code == 302
    verb, form = ("", {"name": "Team"}) if how == "unshared" else ("delete/", {})
    with TestCase.captureOnCommitCallbacks(execute=True):
        ann.browser.post(f"{VIEWS}{view.pk}/{verb}", form)
    assert ben.browser.get("/transactions/").status_code == 200


def test_views_belong_to_one_merchant(ann: Person, copper: Merchant, mirrored: Merchant) -> None:
    view = save(ann, "Paid", default="yes")
    elsewhere = setup.add_member(copper, "ann@example.com", PASSWORD, "owner")
    assert preferences.of(elsewhere).default_view is None
    assert view not in saving.visible_to(elsewhere)


def test_views_cost_no_query_once_they_are_known(
    ann: Person, mirrored: Merchant, django_assert_num_queries
) -> None:
    save(ann, "Paid", default="yes")
    member = Membership.objects.select_related("merchant", "user").get(pk=ann.membership.pk)
    saving.links(member)
    with django_assert_num_queries(0):
        links = saving.links(member)
        assert saving.default(links, preferences.of(member).default_view) == links[0]
    assert [link.name for link in links] == ["Paid"]


def test_views_do_not_fall_with_the_cache(ann: Person, mirrored: Merchant, settings) -> None:
    settings.CACHES = {"default": live.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    save(ann, "Paid")
    assert "Paid" in bar(ann)


def test_a_rollback_forgets_nothing_and_a_change_is_seen_at_once(
    ann: Person, mirrored: Merchant, django_capture_on_commit_callbacks
) -> None:
    member = ann.membership
    assert saving.links(member) == []
    with django_capture_on_commit_callbacks(execute=True):
        saving.save(member, "Paid", "status=processed", shared=False)
    assert [link.name for link in saving.links(member)] == ["Paid"]
    with django_capture_on_commit_callbacks(execute=True):
        saving.delete(member, SavedView.objects.get())
    assert saving.links(member) == []
