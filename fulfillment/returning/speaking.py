"""What a customer reads on the page, in the language of the payment form, else in the browser's."""

from dataclasses import dataclass

from django.utils.translation.trans_real import parse_accept_lang_header

from fulfillment import receipts
from fulfillment.mailing import writing
from fulfillment.models import MailRule
from fulfillment.receipts import Language
from fulfillment.returning.pages import Shown
from transactions.models import Transaction


@dataclass(frozen=True)
class Spoken:
    """All words of the page. `facts` are labels with their values, each value a line."""

    language: Language
    title: str
    text: str
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    receipt: str
    by_itself: str
    again: str
    back: str
    support: str
    payments: str


def spoken(shown: Shown, rule: MailRule, accepted: str) -> Spoken:
    """The words for what is shown; `accepted` is the header Accept-Language of who looks."""
    language = writing.language_of(shown.entry) if shown.entry else preferred(accepted)
    say = language.say
    return Spoken(
        language=language,
        title=say(shown.title),
        text=" ".join(say(each) for each in shown.sentences),
        facts=tuple(_facts(shown.entry, language)) if shown.entry else (),
        receipt=say("Receipt"),
        by_itself=say("This page looks again by itself."),
        again=say("Look again"),
        back=say("Back to {shop}", shop=rule.sender),
        support=say("Questions? Write to {address}.", address=rule.support_email),
        payments=say("Payments by PaySuper."),
    )


def preferred(accepted: str) -> Language:
    """The first language of a header Accept-Language that we speak; English without one."""
    for tag, _ in parse_accept_lang_header(accepted[:200]):
        found = receipts.language_of(tag)
        if found.catalogue != "en" or tag.startswith("en"):
            return found
    return receipts.language_of("en")


def _facts(entry: Transaction, language: Language) -> list[tuple[str, tuple[str, ...]]]:
    say, items = language.say, tuple(each.name or each.sku for each in entry.items.all())
    charged = entry.charge_amount, entry.charge_currency
    amount = language.money(*(charged if entry.charge_currency else (entry.total_amount, entry.currency)))
    found = [
        (say("Items"), items),
        (say("Amount"), (amount,)),
        (say("Date"), (language.date(entry.created_at, entry.merchant.zone),)),
        (say("Order"), (str(entry.uuid),)),
    ]
    return [(label, values) for label, values in found if values]
