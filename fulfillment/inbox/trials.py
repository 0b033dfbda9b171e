"""Made-up webhooks that PaySuper is asked for, to see whether they arrive (contract §13.7)."""

import datetime as dt

from django.db.models import QuerySet
from django.utils import timezone

from fulfillment.models import RefusedDelivery, WebhookEvent, WebhookTest
from merchant import audit, line
from merchant.models import Membership, Project
from merchant.paysuper.errors import NoAnswer, PaySuperError

State = WebhookTest.State
# A bell that nobody heard by then is rung again, for as long as somebody may be looking.
_BELL_AT_MOST = dt.timedelta(seconds=20)
_WORTH_SENDING = dt.timedelta(minutes=5)
# PaySuper sends at once; what has not come by then will hardly come.
AWAITED = dt.timedelta(seconds=60)


def ask(project: Project, member: Membership, case: str) -> WebhookTest:
    """Note that somebody wants a test, audited. A worker sends it."""
    test = WebhookTest.objects.create(
        merchant=project.merchant, project=project, case=case, requested_by=member.user
    )
    audit.record(project.merchant, member.user, "project.webhook_tested", project.paysuper_id, case=case)
    return test


def send(test: WebhookTest) -> None:
    """Ask PaySuper, once, whatever the answer: another test is one click away."""
    asked = WebhookTest.objects.filter(pk=test.pk)
    if not asked.filter(state=State.ASKED).update(state=State.SENDING):
        return
    try:
        with line.client(test.merchant) as client:
            uuid = client.test_webhook(test.project.paysuper_id, test.case)
    except NoAnswer as error:
        asked.update(state=State.UNKNOWN, outcome=str(error)[:300])
    except PaySuperError as error:
        asked.update(state=State.FAILED, outcome=str(error)[:300])
    else:
        asked.update(state=State.SENT, order_uuid=uuid)


def due() -> list[int]:
    """Tests whose bell nobody heard."""
    now = timezone.now()
    waiting = WebhookTest.objects.filter(state=State.ASKED, requested_at__lte=now - _BELL_AT_MOST)
    return list(waiting.filter(requested_at__gte=now - _WORTH_SENDING).values_list("pk", flat=True))


def newest(project: Project) -> WebhookTest | None:
    """The last test of a project."""
    return WebhookTest.objects.filter(project=project).first()


def arrived(test: WebhookTest) -> WebhookEvent | None:
    """The event that the test has brought, or None."""
    events: QuerySet[WebhookEvent] = WebhookEvent.objects.filter(project=test.project_id).defer("body")
    if test.order_uuid:
        return events.filter(order_uuid=test.order_uuid).first()
    # Without an answer we were not told the id of the made-up order.
    made_up = events.exclude(testing_case="").filter(received_at__gte=test.requested_at)
    return made_up.first() if test.state == State.UNKNOWN else None


def turned_away(test: WebhookTest) -> RefusedDelivery | None:
    """The first delivery with a bad signature since the test began, or None."""
    refused = RefusedDelivery.objects.filter(project=test.project_id, received_at__gte=test.requested_at)
    return refused.filter(reason=RefusedDelivery.Reason.WRONG_SIGNATURE).last()


def is_awaited(test: WebhookTest) -> bool:
    """Whether it is worth waiting for what the test brings."""
    if test.state == State.FAILED or timezone.now() - test.requested_at > AWAITED:
        return False
    wanted = turned_away if test.case == WebhookTest.Case.INVALID_SIGNATURE else arrived
    return wanted(test) is None
