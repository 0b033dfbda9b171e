"""What pages ask about actions."""

import datetime as dt
import math

from django import template
from django.utils import timezone

from fulfillment import buttons, handover, rules, timeline as lines, told as webhooks
from fulfillment.models import Action, KeyReplacement
from merchant.access import Right, may
from merchant.models import Membership
from transactions import personal
from transactions.card import Section
from transactions.models import Transaction

register = template.Library()


@register.simple_tag
def row_buttons(row: rules.Row, membership: Membership) -> str:
    """What can be done with a row of the list."""
    return buttons.of_row(row, membership)


@register.simple_tag
def refund_blocker(row: rules.Row, membership: Membership) -> str:
    """Why no refund can be asked for, or ""."""
    return rules.refund_blocker(row, membership)


@register.simple_tag
def fulfil_blocker(row: rules.Row, membership: Membership) -> str:
    """Why the order cannot be fulfilled, or ""."""
    return rules.fulfil_blocker(row, membership)


@register.simple_tag
def decision_blocker(action: Action, membership: Membership) -> str:
    """Why this person cannot approve or turn down the refund, or ""."""
    return rules.decision_blocker(action, membership)


@register.simple_tag
def customer(transaction: Transaction, membership: Membership) -> str:
    """Who the customer is, as far as this role need know."""
    name, email = transaction.customer_name, transaction.customer_email
    if not may(membership, Right.PERSONAL):
        name, email = personal.name(name), personal.email(email)
    return name or email or transaction.customer_id or "unknown customer"


@register.filter
def seconds_until(instant: dt.datetime | None) -> int:
    """How many whole seconds are left; 0 when it has passed."""
    return max(0, math.ceil((instant - timezone.now()).total_seconds())) if instant else 0


@register.simple_tag
def timeline(transaction: Transaction) -> list[lines.Event]:
    """What happened, newest first."""
    return lines.events(transaction)


@register.simple_tag
def told(transaction: Transaction, membership: Membership) -> list[Section]:
    """What only webhooks tell of the order."""
    return webhooks.told(transaction, membership)


@register.simple_tag
def open_action(transaction: Transaction) -> Action | None:
    """The refund that is under way, or None."""
    return transaction.actions.filter(state__in=Action.OPEN).select_related("requested_by").first()


@register.simple_tag
def open_replacement(transaction: Transaction) -> KeyReplacement | None:
    """The replacement of a key that is under way, or None."""
    if transaction.refund_state != rules.KEY_REPLACING:
        return None
    found = transaction.key_replacements.filter(state__in=KeyReplacement.OPEN)
    return found.select_related("requested_by").defer("keys_before").first()


@register.simple_tag
def offers_new_key(transaction: Transaction, membership: Membership) -> bool:
    """Whether a key of this order may be replaced: PaySuper does that for its staff only."""
    return not rules.replace_blocker(transaction, membership)


@register.simple_tag
def handover_of(transaction: Transaction) -> handover.Handover:
    """How handing over stands."""
    return handover.of(transaction)
