"""Whether customers will find everything in its place."""

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from fulfillment.going_live.checks import GREEN, RED, TODO, Check, names
from fulfillment.models import MailRule, Message, ReturnPage, TestPayment
from merchant.models import Merchant, Project
from transactions.models import MirroredProject, RowType, Status, Transaction

_State = Message.State
_SEE = "See the projects"


def test_payment(merchant: Merchant) -> Check:
    """Somebody has seen a payment go through."""
    title, link = "A test payment is done", reverse("fulfillment:test_checkout")
    made = TestPayment.objects.filter(merchant=merchant).exclude(order_uuid=None)
    orders = Transaction.objects.filter(merchant=merchant, type=RowType.ORDER, status=Status.PROCESSED)
    tried = Q(pk__in=made.values("order_uuid")) | Q(is_production=False)
    if orders.filter(tried).exists():
        return Check(title, GREEN, "It was paid, and it arrived here.", link, "Make another one")
    return Check(title, TODO, "No test payment has arrived here yet.", link, "Make a test payment")


def receipts(merchant: Merchant) -> Check:
    """It is decided who mails receipts, and where we do, one has been delivered."""
    title = "Receipts"
    projects = list(Project.objects.filter(merchant=merchant))
    rules = {rule.project_id: rule for rule in MailRule.objects.filter(merchant=merchant)}
    open_ones = [each for each in projects if each.pk not in rules]
    ours = [each for each in projects if each.pk in rules and rules[each.pk].we_mail]
    if not projects:
        return Check(title, TODO, "There is no project yet.", reverse("fulfillment:projects"), _SEE)
    if open_ones:
        text = f"Decide who mails them: {names(open_ones)}."
        return Check(title, TODO, text, _mails_of(open_ones), "Set the mails")
    undelivered = [each for each in ours if not _mails(each, _State.SENT)]
    refused = [each for each in undelivered if _mails(each, _State.BOUNCED, _State.GAVE_UP)]
    if refused:
        text = f"No mail got through: {names(refused)}."
        return Check(title, RED, text, _mails_of(refused), "See the mails")
    if undelivered:
        text = f"No mail has been delivered yet: {names(undelivered)}. A test payment brings one."
        return Check(title, TODO, text, reverse("fulfillment:test_checkout"), "Make a test payment")
    text = f"We mail for {names(ours)}, and mails were delivered." if ours else "PaySuper mails them."
    return Check(title, GREEN, text, _mails_of(projects), "See the settings")


def _mails(project: Project, *states: str) -> bool:
    return Message.objects.filter(merchant=project.merchant_id, project=project, state__in=states).exists()


def _mails_of(projects: list[Project]) -> str:
    return reverse("fulfillment:project_mail", args=[projects[0].paysuper_id])


def return_pages(merchant: Merchant) -> Check:
    """Customers come back to a page that is there."""
    title = "Pages after the payment"
    found = list(MirroredProject.objects.filter(merchant=merchant, is_listed=True).select_related("project"))
    unset = [each.project for each in found if not (each.success_url and each.fail_url)]
    pages = ReturnPage.objects.filter(merchant=merchant, is_open=True)
    shown = set(pages.values_list("project_id", flat=True))
    dark = [each.project for each in found if _leads_here(each) and each.pk not in shown]
    if dark:
        text = f"PaySuper sends customers to our pages, which are switched off: {names(dark)}."
        return Check(title, RED, text, _pages_of(dark), "Switch them on")
    if not found:
        return Check(title, TODO, "No project has been read yet.", reverse("fulfillment:projects"), _SEE)
    if unset:
        return Check(title, TODO, f"Not set at PaySuper: {names(unset)}.", _pages_of(unset), "Set them up")
    return Check(title, GREEN, "Set for every project.", _pages_of([found[0].project]), "See them")


def _leads_here(there: MirroredProject) -> bool:
    ours = (f"{settings.BASE_URL}/thanks/", f"{settings.BASE_URL}/sorry/")
    return there.success_url.startswith(ours) or there.fail_url.startswith(ours)


def _pages_of(projects: list[Project]) -> str:
    return reverse("fulfillment:project_pages", args=[projects[0].paysuper_id])
