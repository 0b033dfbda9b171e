"""What customers read: in their language, with their money, and whatever a product is called."""

import html
import io
import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from babel.messages.pofile import read_po
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone
from PIL import Image

from fulfillment import mailing, receipts
from fulfillment.models import MailRule, Message, ReceiptPage
from fulfillment.receipts.languages import CATALOGUES, LANGUAGES, Language
from fulfillment.receipts.platforms import PLATFORMS
from merchant import limits
from merchant.models import AuditEvent, Merchant
from merchant.paysuper import records
from tests.conftest import HARBOUR, Person
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.post_office import PostOffice, body, office, receipt_of, tried, we_mail
from tests.merchant.sandbox_receiver import eventually
from transactions import mirror, sync
from transactions.models import Item, Transaction

__all__ = ["office"]
NAMES = re.compile(r"{(\w+)}")
MENUS = {each.menu for each in PLATFORMS.values()}


def changed(order: Transaction, **members: Any) -> Transaction:
    """The order as if PaySuper told it with these members."""
    document = order.raw_order.document | members
    mirror.apply(order.merchant, [records.order(document)], timezone.now())
    return fresh(order)


def letters(order: Transaction, language: Language) -> list[receipts.Letter]:
    """Every letter there is."""
    payment = receipts.of_payment(order, language)
    refund = receipts.of_refund(order, order, language)
    return [
        *(receipts.receipt_letter(each, "https://pay.example/receipts/a/") for each in (payment, refund)),
        *(receipts.key_letter(order, each, ["A game"], language) for each in (*PLATFORMS, "unknown")),
    ]


def catalogue(name: str) -> dict[str, str]:
    with (CATALOGUES / name).open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file) if each.id}


def test_english_and_russian_say_everything(order: Transaction, monkeypatch: pytest.MonkeyPatch) -> None:
    said: set[str] = set()
    word = Language.word
    monkeypatch.setattr(Language, "word", lambda self, text: said.add(text) or word(self, text))
    Transaction.objects.filter(pk=order.pk).update(is_production=False, charge_currency="USD")
    we_mail(order, support_email="help@shop.example")
    for each in letters(fresh(order), receipts.language_of("ru")):
        assert each.html
    source, russian = catalogue("en.pot"), catalogue("ru.po")
    assert said <= source.keys()
    assert all(russian[text] for text in source)


def test_every_catalogue_fills_in_the_same_names() -> None:
    source = catalogue("en.pot")
    assert {each.stem for each in CATALOGUES.glob("*.po")} == set(LANGUAGES) - {"en"}
    for language in set(LANGUAGES) - {"en"}:
        words = catalogue(f"{language}.po")
        assert words.keys() == source.keys()
        # What programs call their menus is left to those who know them.
        assert {text for text, own in words.items() if not own} <= MENUS, language
        wrong = [
            text
            for text, own in words.items()
            if own and sorted(NAMES.findall(own)) != sorted(NAMES.findall(text))
        ]
        assert not wrong, language


@pytest.mark.parametrize(
    ("tag", "country", "catalogue_", "region"),
    [
        ("en-GB", "", "en", "en_GB"),
        ("de_AT", "", "de", "de_AT"),
        ("pt", "", "pt_BR", "pt"),
        ("pt-AO", "", "pt_PT", "pt_AO"),
        ("zh-TW", "", "zh_Hant", "zh_Hant_TW"),
        ("zh-Hans-HK", "", "zh_Hans", "zh_Hans_HK"),
        ("", "RU", "ru", "ru_RU"),
        ("", "CH", "en", "en"),
        ("nl-NL", "NL", "en", "en"),
        ("xx-nonsense-" * 9, "", "en", "en"),
        ("<script>", "??", "en", "en"),
    ],
)
def test_which_language_is_spoken(tag: str, country: str, catalogue_: str, region: str) -> None:
    language = receipts.language_of(tag, country)
    assert (language.catalogue, language.region) == (catalogue_, region)


def test_money_is_written_as_people_there_write_it() -> None:
    shown = {
        tag: receipts.language_of(tag).money(Decimal("1234.5"), currency)
        for tag, currency in (
            ("de-DE", "EUR"),
            ("en-US", "USD"),
            ("ja-JP", "JPY"),
            ("ru-RU", "RUB"),
            ("ar-BH", "BHD"),
        )
    }
    plain = {tag: text.replace("\xa0", " ").replace("\u200f", "") for tag, text in shown.items()}
    assert plain["de-DE"] == "1.234,50 €"
    assert plain["en-US"] == "$1,234.50"
    assert plain["ja-JP"] == "￥1,235"
    assert plain["ru-RU"] == "1 234,50 ₽"
    assert plain["ar-BH"].endswith("د.ب.")
    assert "1,234.500" in plain["ar-BH"]
    # A mark keeps the sign behind its letters.
    assert receipts.language_of("ar-BH").money(Decimal(12), "GBP").endswith("UK£\u200e")
    assert receipts.language_of("en").money(Decimal("12.345"), "IQD") == "IQD 12.345".replace(" ", "\xa0")


def test_hostile_names_do_no_harm(order: Transaction, office: PostOffice) -> None:
    hostile = '<script>alert("x")</script>\r\nBcc: evil@example.com {shop} {0} %s'
    Item.objects.filter(transaction=order).update(name=hostile)
    Transaction.objects.filter(pk=order.pk).update(product=hostile)
    we_mail(order, shop_name=hostile[:100])
    mailing.after_reading(order.merchant, order.pk)
    message = tried(Message.objects.get())
    assert message.state == "sent"
    (mail,) = office.mails
    assert mail["Bcc"] is None
    assert "<script>" not in body(mail, "html")


def test_a_refund_is_receipted_with_what_went_back(
    order: Transaction, office: PostOffice, desk: Desk
) -> None:
    receipt_of(order)
    desk.refund_elsewhere(order.pk)
    eventually(lambda: desk.completed(order.pk) == 1)
    sync.sync(order.merchant, full=True)
    mailing.after_reading(order.merchant, order.pk)
    mailing.missed()
    message = tried(Message.objects.get(kind="refund"))
    refund = Transaction.objects.get(parent_uuid=order.pk)
    assert (message.state, message.transaction, message.refund_uuid) == ("sent", order, refund.pk)
    text, language = body(office.mails[0], "plain"), receipts.language_of("de-DE")
    assert ReceiptPage.of(refund).address in text
    assert language.money(refund.charge_amount, refund.charge_currency) in text
    page, paid = (Browser().get(f"/receipts/{ReceiptPage.of(each).token}/") for each in (refund, order))
    assert html.escape(language.money(refund.charge_amount, refund.charge_currency)) in page.content.decode()
    assert language.say("The money of this payment went back.") in paid.content.decode()


def test_a_refund_whose_order_nobody_knows_has_no_page(order: Transaction, desk: Desk) -> None:
    desk.refund_elsewhere(order.pk)
    eventually(lambda: desk.completed(order.pk) == 1)
    sync.sync(order.merchant, full=True)
    refund = Transaction.objects.get(parent_uuid=order.pk)
    Transaction.objects.filter(pk=refund.pk).update(parent_uuid=uuid4())
    assert Browser().get(f"/receipts/{ReceiptPage.of(refund).token}/").status_code == 404


def test_the_page_of_a_receipt_needs_its_address_and_is_found_by_nobody_else(
    order: Transaction, office: PostOffice
) -> None:
    message = tried(receipt_of(order))
    address = ReceiptPage.of(order).address
    assert address in message.text
    answer = Browser().get(address.partition("/receipts/")[1] + address.partition("/receipts/")[2])
    page = answer.content.decode()
    assert answer.status_code == 200
    assert order.transaction_id in page
    assert order.customer_email not in page
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    for unknown in ("a" * 32, str(order.pk), order.transaction_id):
        assert Browser().get(f"/receipts/{unknown}/").status_code == 404


def test_an_unpaid_order_has_no_receipt(order: Transaction) -> None:
    address = f"/receipts/{ReceiptPage.of(order).token}/"
    Transaction.objects.filter(pk=order.pk).update(status="rejected")
    assert Browser().get(address).status_code == 404


def test_who_guesses_addresses_is_turned_away_for_a_while(
    order: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits.time, "time", lambda: 1_700_000_000.0)  # all within one minute
    address = f"/receipts/{ReceiptPage.of(order).token}/"
    answers = [Browser().get("/receipts/guessed/").status_code for _ in range(60)]
    assert set(answers) == {404}
    assert Browser().get(address).status_code == 429
    cache.clear()
    assert Browser().get(address).status_code == 200


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100)) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", size, "navy").save(file, kind)
    file.seek(0)
    file.name = f"logo.{kind.lower()}"
    return file


def rule_form(ann: Person, **values: Any) -> Any:
    sent = {"who": "we", "shop_name": "Lantern", "support_email": "help@lantern.example"} | values
    return ann.browser.post(f"/settings/projects/{HARBOUR}/mail/", sent)


def test_an_owner_decides_who_mails_and_how_it_looks(
    order: Transaction, ann: Person, office: PostOffice
) -> None:
    assert rule_form(ann, picture=picture()).status_code == 302
    rule = MailRule.objects.get()
    assert rule.we_mail
    assert rule.sender == "Lantern"
    logo = Image.open(io.BytesIO(bytes(rule.logo)))
    assert (logo.format, logo.size) == ("PNG", (240, 80))
    event = AuditEvent.objects.get(event="mail_rule.changed")
    assert event.data["has_logo"] is True
    tried(receipt_of(order))
    (mail,) = office.mails
    assert mail["Reply-To"] == "help@lantern.example"
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert (image["Content-ID"], image.get_content()) == ("<logo>", bytes(rule.logo))
    assert "cid:logo" in body(mail, "html")
    since = MailRule.objects.get().mails_since
    rule_form(ann, without_logo="on")
    rule = MailRule.objects.get()
    assert (bytes(rule.logo), rule.mails_since) == (b"", since)
    rule_form(ann, who="paysuper")
    assert not MailRule.objects.get().we_mail


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (picture("GIF"), "not a picture in PNG or JPEG"),
        (picture(size=(2001, 10)), "larger than 2000 × 2000 pixels"),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"\0" * 99), "not a picture"),
        (io.BytesIO(b"<svg onload=alert(1)>"), "not a picture"),
        (io.BytesIO(b"\0" * (512 * 1024 + 1)), "larger than 512 kB"),
    ],
)
def test_only_small_pictures_become_logos(
    lantern: Merchant, ann: Person, upload: io.BytesIO, words: str
) -> None:
    upload.name = "logo.png"
    answer = rule_form(ann, picture=upload)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not MailRule.objects.exists()
