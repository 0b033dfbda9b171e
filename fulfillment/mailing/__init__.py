"""Mails to customers: a row first, the mail server later, and nothing told twice.

    waiting ──► queued ──► sending ──► sent ──► bounced
       ▲          ▲           │
       └──────────┼───────────┼──► failed ──► sending, later each time … gave up
    the key       │           ├──► bounced: the mail server does not take this address
    is not there  │           ├──► gave up: it does not take this letter
                  │           └──► unknown: it may have taken it, nobody tries again by itself
                  └─ stopped: the key must not go out any more

A worker claims a row before it connects, and notes that the letter leaves before its first byte does. Who
dies before that has surely sent nothing, and another worker tries again; who dies later may have, and the
row says so. A worker that was taken for dead finds its try gone at that moment and hands nothing over.
"""

from fulfillment.mailing.asking import NotSendable, choices, send_again
from fulfillment.mailing.begin import after_reading, hand_over_keys, missed, replace_keys
from fulfillment.mailing.bounces import bounce
from fulfillment.mailing.sending import due, ready, run

__all__ = [
    "NotSendable",
    "after_reading",
    "bounce",
    "choices",
    "due",
    "hand_over_keys",
    "missed",
    "ready",
    "replace_keys",
    "run",
    "send_again",
]
