"""What is not as it should be, and what to do about it, in sentences."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fulfillment.models import Action, Batch, KeyReplacement, Message, ServerCall, WebhookEvent
from fulfillment.operations.broker import Queue
from fulfillment.operations.facts import Mirror, Pile, Replica
from transactions.models import Export

# Seconds. The same limits stand in docs/alerts.yml.
STALE_MIRROR, WAITS_LONG, QUEUE_STANDS = 300.0, 600.0, 120.0
_DRIFT_UNKNOWN = 8 * 24 * 3600.0


@dataclass(frozen=True)
class Worry:
    """What is wrong, what to do, and the page where it can be seen ("" for none)."""

    what: str
    remedy: str
    page: str = ""


_REFUND = f"action {Action.Kind.REFUND}"
# Kind and state → what is wrong, what to do, where; and from which age (seconds) on it is wrong.
_ROWS: dict[tuple[str, str], tuple[str, str, str, float]] = {
    (_REFUND, Action.State.NEEDS_PERSON): (
        "refunds need a person",
        "Look each up at PaySuper, or ask its support, then close it.",
        "fulfillment:refunds",
        0,
    ),
    (_REFUND, Action.State.AWAITING_APPROVAL): (
        "refunds have been waiting for approval for more than a day",
        "A second person who may approve has to decide.",
        "fulfillment:refunds",
        24 * 3600,
    ),
    ("key replacement", KeyReplacement.State.NEEDS_PERSON): (
        "replaced keys need a person",
        "Ask PaySuper's support what became of each, then close it on the order.",
        "transactions:list",
        0,
    ),
    ("webhook", WebhookEvent.State.RECEIVED): (
        "webhooks wait to be processed",
        "They are tried again by themselves. See what the log says, and whether PaySuper answers.",
        "fulfillment:webhooks",
        WAITS_LONG,
    ),
    ("webhook", WebhookEvent.State.FAILED): (
        "webhooks failed in the last day",
        "Open them in the log and replay them once the cause is gone.",
        "fulfillment:webhooks",
        0,
    ),
    ("server call", ServerCall.State.GIVEN_UP): (
        "calls of your own server were given up in the last day",
        "See whether it answers, then send them again from the orders.",
        "fulfillment:queue",
        0,
    ),
    ("mail", Message.State.FAILED): (
        "mails to customers have not been taken by the mail server for long",
        "They are tried again by themselves. See whether the mail server answers, and what it says.",
        "",
        3600,
    ),
    ("mail", Message.State.GAVE_UP): (
        "mails to customers were given up in the last day",
        "See what the mail server said, then send them again from the orders.",
        "",
        0,
    ),
    ("mail", Message.State.WAITING): (
        "mails have been waiting for their activation key for more than a day",
        "See at PaySuper whether the key product has run out of keys.",
        "",
        24 * 3600,
    ),
    ("export", Export.State.WAITING): (
        "exports wait",
        "See that the worker of the queue exports runs.",
        "transactions:exports",
        WAITS_LONG,
    ),
    ("export", Export.State.FAILED): (
        "exports failed in the last day",
        "Open them: each says why. Make them again once the cause is gone.",
        "transactions:exports",
        0,
    ),
    ("batch", Batch.State.RUNNING): (
        "bulk actions have been running for long",
        "They go on by themselves once the worker of the queue money runs.",
        "fulfillment:batches",
        3600,
    ),
}


def worries(
    mirrors: Iterable[Mirror],
    piles: Iterable[Pile],
    queues: Iterable[Queue],
    replica: Replica | None = None,
    *,
    beat: bool,
) -> list[Worry]:
    """Everything that somebody should look at, the worst first."""
    processes = [*_of_processes(queues, beat=beat), *_of_replica(replica)]
    return [*processes, *_of_mirrors(mirrors), *_of_rows(piles)]


def _of_processes(queues: Iterable[Queue], *, beat: bool) -> Iterator[Worry]:
    if not beat:
        yield Worry("Nothing rings by the clock.", "Start beat, and see why it ended.")
    for queue in queues:
        if queue.pulse is None:
            yield Worry(f"Nobody works on the queue {queue.name}.", "Start its worker, and see why it ended.")
        elif queue.oldest and queue.oldest > QUEUE_STANDS and queue.name != "exports":
            yield Worry(
                f"The queue {queue.name} stands: {queue.length:,} messages wait.",
                "Add a worker for it, or see what keeps the ones there are.",
            )


def _of_replica(replica: Replica | None) -> Iterator[Worry]:
    if replica is None or replica.is_read:
        return
    trouble = "does not answer" if replica.lag is None else "is too far behind the database"
    yield Worry(
        f"The replica {trouble}: lists, cards and exports are read from the database itself.",
        "See whether it runs, and whether its line and its disk keep up.",
    )


def _of_mirrors(mirrors: Iterable[Mirror]) -> Iterator[Worry]:
    for each in mirrors:
        if each.rests:
            yield Worry("PaySuper is not answering.", "It is tried again by itself. See PaySuper's status.")
        elif each.is_failing:
            yield Worry(
                f"The last sync failed: {each.error}", "See whether the access token is good.", "settings"
            )
        elif each.age is None or each.age > STALE_MIRROR:
            yield Worry(
                "No sync for a while.", "See that beat and the worker of the queue sync run.", "settings"
            )
        if each.drift:
            yield Worry(
                f"{each.drift:,} orders differ from PaySuper's.",
                "Run manage.py check_drift --repair.",
                "settings",
            )
        elif each.drift_age is None or each.drift_age > _DRIFT_UNKNOWN:
            yield Worry(
                "The mirror has not been compared with PaySuper for a week.",
                "Run manage.py check_drift.",
                "settings",
            )


def _of_rows(piles: Iterable[Pile]) -> Iterator[Worry]:
    for pile in piles:
        known = _ROWS.get((pile.kind, pile.state))
        if known and pile.oldest >= known[3]:
            yield Worry(f"{pile.count:,} {known[0]}.", known[1], known[2])
