"""What stands around everything that a customer reads."""

from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from fulfillment.models import MailRule
from fulfillment.receipts.languages import Language
from merchant import envelope
from transactions.models import Transaction

_SUPPORT = "Questions? Write to {address}."


@dataclass(frozen=True)
class Frame:
    """A mail or page for a customer. `note` is for the customer of a test payment."""

    language: Language
    shop: str
    support_email: str
    has_logo: bool
    note: str
    title: str
    subject: str
    greeting: str

    @property
    def support(self) -> str:
        """Whom to ask, as a sentence; "" where nobody is named."""
        return self.language.say(_SUPPORT, address=self.support_email) if self.support_email else ""

    @property
    def support_in_mail(self) -> SafeString:
        """The same with a link that has its style at itself."""
        return self._support('<a class="link" href="mailto:{0}" style="color:#2463cc;">{0}</a>')

    @property
    def support_on_page(self) -> SafeString:
        """The same with a link."""
        return self._support('<a href="mailto:{0}">{0}</a>')

    @property
    def end(self) -> str:
        """The side where lines end, as old mail programs want it."""
        return "left" if self.language.direction == "rtl" else "right"

    def _support(self, link: str) -> SafeString:
        return format_html(self.language.word(_SUPPORT), address=format_html(link, self.support_email))


def around(order: Transaction, language: Language) -> dict[str, Any]:
    """What every frame of an order has."""
    rule = MailRule.of(order.project)
    return {
        "language": language,
        "shop": rule.sender,
        "support_email": rule.support_email if envelope.is_address(rule.support_email) else "",
        "has_logo": bool(rule.logo),
        "note": "" if order.is_production else language.say("This was a test: no money was moved."),
    }
