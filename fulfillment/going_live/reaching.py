"""Whether we reach PaySuper, and PaySuper reaches us."""

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from fulfillment.going_live.checks import GREEN, RED, TODO, Check, names
from fulfillment.models import WebhookEvent
from merchant.models import Merchant, Project
from transactions.models import Connection, MirroredProject

# Who may ask PaySuper for refunds (contract §4).
_ABLE = ("owner", "developer", "support")


def connection(merchant: Merchant) -> Check:
    """PaySuper answers, with this merchant's token, to a role that is of use."""
    title, looked = "Connection and token", Connection.objects.filter(merchant=merchant).first()
    if looked is None:
        text = "PaySuper has not been asked yet: that happens every ten minutes, and with the button above."
        return Check(title, TODO, text, reverse("settings"), "See the connection")
    state, text = _connection(merchant, looked)
    return Check(title, state, text, reverse("settings"), "See the connection")


def _connection(merchant: Merchant, looked: Connection) -> tuple[str, str]:
    if looked.is_failing:
        return RED, f"PaySuper could not be read: {looked.error}"
    if looked.token_merchant and looked.token_merchant != merchant.paysuper_id:
        return RED, "The token belongs to another merchant."
    if looked.role and looked.role not in _ABLE:
        return RED, f"The token has the role {looked.role}: it can ask for no refunds."
    if _ends(merchant):
        return RED, "The token has ended, and there is no refresh token to renew it with."
    if looked.is_sandbox:
        return TODO, "This is a sandbox. Before you go live connect PaySuper itself, with connect_merchant."
    return GREEN, "PaySuper answers, and the token is good."


def _ends(merchant: Merchant) -> bool:
    ends = merchant.token_expires_at
    return bool(ends and ends <= timezone.now() and not merchant.refresh_token)


def production(merchant: Merchant) -> Check:
    """Every project is in production."""
    title, link = "Projects in production", reverse("fulfillment:projects")
    found = list(_at_paysuper(merchant))
    waiting = [each.project for each in found if not each.is_in_production]
    if not found:
        return Check(title, TODO, "No project has been read from PaySuper yet.", link, "Read them now")
    if waiting:
        return Check(title, TODO, f"Not yet in production: {names(waiting)}.", link, "See the projects")
    return Check(title, GREEN, f"In production: {names(each.project for each in found)}.", link, "See them")


def webhook_settings(merchant: Merchant) -> Check:
    """Secrets and addresses are the same here and there, and webhooks are taken."""
    title, link = "Webhooks set up", reverse("fulfillment:projects")
    projects = list(Project.objects.filter(merchant=merchant).select_related("at_paysuper"))
    missing = [each for each in projects if not each.secret_key]
    wrong = [(each, trouble) for each in projects if (trouble := _trouble(each))]
    if not projects:
        return Check(title, TODO, "There is no project yet.", link, "See the projects")
    if missing:
        text = f"The secret key is missing: {names(missing)}."
        return Check(title, TODO, text, _page_of(missing[0]), "Set it")
    if wrong:
        text = f"{names(f'{each} ({trouble})' for each, trouble in wrong)}."
        return Check(title, RED, text, _page_of(wrong[0][0]), "Set it right")
    if unread := [each for each in projects if not hasattr(each, "at_paysuper")]:
        text = f"The secret keys are set. Not read from PaySuper yet, whose address it has: {names(unread)}."
        return Check(title, TODO, text, link, "See the projects")
    return Check(title, GREEN, "PaySuper has our addresses, and the secret keys are set.", link, "See them")


def _trouble(project: Project) -> str:
    """What keeps a project's webhooks from being taken, in words; "" if nothing known does."""
    there: MirroredProject | None = getattr(project, "at_paysuper", None)
    ours = f"{settings.BASE_URL}/webhooks/paysuper/{project.paysuper_id}/"
    if not project.takes_webhooks:
        return "switched off here"
    if there is None:
        return ""
    if there.callback_protocol == "empty":
        return "switched off at PaySuper"
    if there.webhook_url != ours:
        return "PaySuper has another address" if there.webhook_url else "PaySuper has no address yet"
    return "the secret key is another one than PaySuper's" if there.secret_matches is False else ""


def _page_of(project: Project) -> str:
    return reverse("fulfillment:project", args=[project.paysuper_id])


def signed_events(merchant: Merchant) -> Check:
    """A webhook with a good signature has come for every project: only such are stored."""
    title, link = "A signed webhook has come", reverse("fulfillment:projects")
    projects = list(Project.objects.filter(merchant=merchant))
    silent = [each for each in projects if not _has_event(each)]
    if not projects:
        return Check(title, TODO, "There is no project yet.", link, "See the projects")
    if silent:
        text = f"None yet for {names(silent)}: send a test event."
        return Check(title, TODO, text, f"{_page_of(silent[0])}#test", "Send a test event")
    return Check(title, GREEN, "For every project.", reverse("fulfillment:webhooks"), "See the webhooks")


def _has_event(project: Project) -> bool:
    return WebhookEvent.objects.filter(merchant=project.merchant_id, project=project).exists()


def _at_paysuper(merchant: Merchant) -> "list[MirroredProject]":
    rows = MirroredProject.objects.filter(merchant=merchant, is_listed=True).select_related("project")
    return list(rows.order_by("project__name"))
