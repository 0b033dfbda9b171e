"""What a mail says, written once, and the mail that it becomes."""

import hashlib
import json
from email.mime.image import MIMEImage
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from fulfillment import items, receipts
from fulfillment.items import ItemState
from fulfillment.mailing.begin import REPLACED
from fulfillment.models import MailRule, Message, ReceiptPage
from fulfillment.receipts import Language, Letter
from merchant import envelope
from transactions import card
from transactions.models import Transaction

LOGO = "logo"


def language_of(order: Transaction) -> Language:
    """The language of an order's customer: of the payment form, else of the country."""
    document = order.raw_order.document
    customer = document.get("user")
    own = customer.get("locale") if isinstance(customer, dict) else ""
    return receipts.language_of(str(document.get("locale") or own or ""), order.country)


def letter(message: Message, order: Transaction) -> Letter:
    """The words of a mail; keys stand in it as marks."""
    language = language_of(order)
    if message.kind == Message.Kind.KEY:
        titles = [each.title for each in items_of(message, order)]
        is_another = REPLACED in message.key
        return receipts.key_letter(order, message.platform, titles, language, is_another=is_another)
    if message.kind == Message.Kind.REFUND:
        refund = Transaction.objects.get(merchant=message.merchant_id, pk=str(message.refund_uuid))
        receipt = receipts.of_refund(order, refund, language)
        return receipts.receipt_letter(receipt, ReceiptPage.of(refund).address)
    receipt = receipts.of_payment(order, language)
    return receipts.receipt_letter(receipt, ReceiptPage.of(order).address)


def items_of(message: Message, order: Transaction) -> list[ItemState]:
    """The items whose keys a mail brings."""
    return [each for each in items.states(order) if each.value in message.items]


def keys_of(message: Message, order: Transaction) -> list[str]:
    """The keys of a mail in the order of its marks; "" where one is not there yet."""
    document = order.raw_order.document
    return [card.key_of(document, each.item.position) for each in items_of(message, order)]


def mail_of(message: Message) -> EmailMultiAlternatives:
    """The mail as it leaves, with keys."""
    keys = json.loads(message.activation_keys or "[]")
    words = receipts.with_keys(Letter(message.subject, message.text, message.html), keys)
    rule = MailRule.of(message.project)
    mail = envelope.write(
        message.recipient,
        words.subject,
        words.text,
        words.html,
        sender=rule.sender,
        answers_to=rule.support_email,
        headers={"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"},
    )
    if rule.logo and f"cid:{LOGO}" in words.html:
        image = MIMEImage(bytes(rule.logo), "png")
        image.add_header("Content-ID", f"<{LOGO}>")
        image.add_header("Content-Disposition", "inline", filename="logo.png")
        mail.mixed_subtype = "related"  # type: ignore[attr-defined]
        mail.attach(image)
    return mail


def message_id(message: Message) -> str:
    """The Message-ID: the same at every try, and what a bounce is told by."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{message.pk}.{hashlib.sha256(message.key.encode()).hexdigest()[:24]}@{domain}>"
