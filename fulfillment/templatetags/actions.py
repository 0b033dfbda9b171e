"""What pages ask about actions."""

from django import template

from fulfillment import handover, rules, timeline as lines, told as webhooks
from fulfillment.models import Action
from merchant.models import Membership
from transactions.card import Section
from transactions.models import Transaction

register = template.Library()


@register.simple_tag
def refund_blocker(row: rules.Row, membership: Membership) -> str:
    """Why no refund can be asked for, or ""."""
    return rules.refund_blocker(row, membership)


@register.simple_tag
def fulfil_blocker(row: rules.Row, membership: Membership) -> str:
    """Why the order cannot be fulfilled, or ""."""
    return rules.fulfil_blocker(row, membership)


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
def handover_of(transaction: Transaction) -> handover.Handover:
    """How handing over stands."""
    return handover.of(transaction)
