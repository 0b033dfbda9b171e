"""How a mail changes its state: the one place that writes it, with its audit line."""

import datetime as dt
import re
from typing import Any

from django.db import transaction
from django.utils import timezone

from fulfillment.models import Message
from merchant import audit
from transactions import personal

State = Message.State

# Longer than a try may take: who has not come back by then is dead.
TRY_AT_MOST = dt.timedelta(minutes=3)
# Pauses after failed tries, in minutes: nine tries over a day.
PAUSES = (0.5, 2, 10, 30, 60, 180, 360, 720)
# Nothing is ever put off for longer: what seems to be was written before a clock was set back.
FURTHEST = dt.timedelta(hours=13)

_NOTED = (State.SENT, State.UNKNOWN, State.BOUNCED, State.GAVE_UP, State.STOPPED)


def move(message: Message, after: Message.State, **values: Any) -> bool:
    """Change the state, unless another worker has moved the mail on; tells whether it did."""
    values |= {"state": after, "changed_at": timezone.now()}
    values["outcome"] = _without_address(str(values.get("outcome", "")), message.recipient)[:300]
    with transaction.atomic():
        mine = Message.objects.filter(pk=message.pk, state=message.state, tries=message.tries)
        if not mine.update(**values):
            return False
        if after in _NOTED:
            told = {"message": message.pk, "kind": message.kind}
            audit.record(message.merchant, None, f"message.{after}", message.transaction_id, **told)
    for name, value in values.items():
        setattr(message, name, value)
    return True


def _without_address(words: str, recipient: str) -> str:
    """Mail servers repeat whom they were asked for, and not everybody who reads the words may know that."""
    if not recipient:
        return words
    return re.sub(re.escape(recipient), lambda _: personal.email(recipient), words, flags=re.IGNORECASE)


def fail(message: Message, outcome: str, tries: int = 0) -> None:
    """Try again later, or give up after the last pause; `tries` are those so far, if one is to be added."""
    tries = tries or message.tries
    if tries > len(PAUSES):
        move(message, State.GAVE_UP, outcome=outcome, tries=tries)
    else:
        later = timezone.now() + dt.timedelta(minutes=PAUSES[tries - 1])
        move(message, State.FAILED, outcome=outcome, tries=tries, try_at=later)


def handing_over(message: Message) -> bool:
    """Note that the letter leaves now; False when the try is not this worker's any more."""
    mine = Message.objects.filter(pk=message.pk, state=State.SENDING, tries=message.tries)
    return bool(mine.update(handed_over_at=timezone.now()))
