"""Bounces that arrive later: the mail server took the mail, and the customer's server sent it back."""

import re

from fulfillment.mailing.states import State, move
from fulfillment.mailing.writing import message_id
from fulfillment.models import Message

_OURS = re.compile(r"<?([0-9]{1,18})\.[0-9a-f]{24}@")


def bounce(told_id: str, reason: str) -> Message | None:
    """Note that the mail with this Message-ID has come back; None when it is none of ours.

    Of mails that are not known to have left, and of those that are known to be back, nothing changes.
    """
    found = _OURS.match(told_id.strip())
    message = Message.objects.select_related("merchant").filter(pk=found[1]).first() if found else None
    if message is None or message_id(message).strip("<>") != told_id.strip().strip("<>"):
        return None
    if message.state in (State.SENT, State.UNKNOWN):
        move(message, State.BOUNCED, outcome=reason or "The mail came back.")
    return message
