"""Fulfilling without hands: the rule of a project, and the call of the merchant's own server.

    waiting ──► sending ──► taken
       ▲           │
       └─ failed ──┴──► given up        stopped: the goods must not go out

A call is a row before it is sent. Its id and body stay the same at every try, so that the merchant's server
can tell a repetition: a lost answer is tried again, unlike a refund.
"""

from fulfillment.automatic.begin import begin, missed
from fulfillment.automatic.calling import call, due, resend, resend_blocker
from fulfillment.automatic.message import masked_answer, masked_body
from fulfillment.automatic.signature import new_secret, signature

__all__ = [
    "begin",
    "call",
    "due",
    "masked_answer",
    "masked_body",
    "missed",
    "new_secret",
    "resend",
    "resend_blocker",
    "signature",
]
