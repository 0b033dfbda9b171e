"""The buttons in a row of the list: what can be done, or why it cannot."""

import functools

from django.utils.safestring import SafeString

from fulfillment import rules
from merchant.markup import address, filled, icon
from merchant.models import Membership
from transactions.models import Fulfilment

_READY = (
    '<a class="icon-button" href="{address}" title="{title}" data-key="{key}" hx-get="{address}" '
    'hx-target="#dialog" hx-swap="innerHTML">{icon}<span class="unseen">{title} {number}</span></a>'
)
_BLOCKED = (
    '<span class="blocked"><a class="icon-button{done}" role="link" aria-disabled="true" tabindex="0" '
    'aria-describedby="{id}" data-key="{key}">{icon}<span class="unseen">{title} {number}</span></a>'
    '<span class="tip" role="tooltip" id="{id}">{why_not}</span></span>'
)


def of_row(row: rules.Row, membership: Membership) -> SafeString:
    """Fulfil and Refund; greyed with the reason when they are not offered."""
    done = rules.value(row, "fulfilment") == Fulfilment.FULFILLED
    fulfil = _button(row, "fulfil", rules.fulfil_blocker(row, membership), done=done)
    refund = _button(row, "refund", rules.refund_blocker(row, membership), done=False)
    return SafeString(f"{fulfil}\n{refund}")


def _button(row: rules.Row, name: str, why_not: str, *, done: bool) -> SafeString:
    frame, uuid = _frame(name, why_not, done=done), str(rules.value(row, "uuid"))
    return filled(frame, uuid=uuid, number=rules.value(row, "transaction_id"))


@functools.lru_cache(maxsize=64)
def _frame(name: str, why_not: str, *, done: bool) -> SafeString:
    """What the buttons of many rows share, with braces where they differ."""
    return filled(
        _BLOCKED if why_not else _READY,
        address=f"{address('transactions:list')}{{uuid}}/{name}/",
        id=f"{name}-{{uuid}}",
        title=name.capitalize(),
        number="{number}",
        key=name[0],
        icon=icon("fulfilled" if done else name),
        done=" done" if done else "",
        why_not=why_not,
    )
