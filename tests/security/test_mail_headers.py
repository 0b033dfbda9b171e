"""What strangers write adds nothing to a mail: no header, no recipient, no broken line, no markup."""

import hashlib
import re
import uuid
from pathlib import Path

import allauth
import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from django.conf import settings as live
from django.db import models
from django.test import RequestFactory
from django.utils import timezone

from fulfillment import actions, tasks as to_customers
from fulfillment.mailing import begin
from fulfillment.models import MailRule, Message
from fulfillment.receipts.platforms import PLATFORMS
from merchant import invitations, mailing, second_factor, tasks as to_people
from merchant.accounts import ClosedAdapter
from merchant.encryption import encrypt
from merchant.models import Mail, Merchant, Project, User
from merchant.paysuper import records
from tests.conftest import Person
from tests.fulfillment.desk import fresh
from tests.fulfillment.post_office import we_mail
from tests.security.mail_wire import MARKUP, Wire, checked, wire
from tests.transactions import rows
from tests.transactions.schedules import clock, daily, folder, work
from transactions import mirror
from transactions.models import Export, Item, Schedule, ScheduleMail, ScheduleRun, Transaction
from transactions.scheduling import trouble

__all__ = ["folder", "wire"]

SEEN = f"{MARKUP} http://evil.example/x www.evil.example "
TEXTS = [
    f"\r\nBcc: evil@example.net\r\n\r\nread this\rX-Evil: 1\n\n.\r\n{SEEN}",
    f"\x0b\x0cBcc: evil@example.net\x1c\x1d\x85\u2028\u2029\x1b[31m\x07\x7f{SEEN}",
    f"=?utf-8?q?a=0D=0ABcc=3A_evil=40example.net?= =?utf-8?b?DQpCY2M6?= {SEEN}",
    f'\u202egnp.exe\u2066\u200f, "a\\", b <evil@example.net>; c:()@[x] {SEEN}',
    SEEN + "😀" * 400,
    SEEN + ("x" * 900 + "\u2028") * 3,
]
CUSTOMER = '"c,d<e>;"@example.com'
SUPPORT = '"h\'elp,"@shop.example'
# Where mails are written, each with its probe below.
WRITERS = {
    "fulfillment/mailing/writing.py": "test_mails_to_customers",
    "merchant/accounts.py": "test_mails_to_people",
    "merchant/invitations.py": "test_mails_to_people",
    "merchant/mailing.py": "test_mails_to_people",
    "merchant/second_factor.py": "test_mails_to_people",
    "transactions/scheduling/letters.py": "test_mails_of_schedules",
    "transactions/scheduling/trouble.py": "test_mails_to_people",
}


def put(found: "models.QuerySet[models.Model]", text: str, *columns: str) -> None:
    """Write the text, or as much of it as there is room for, into columns of all rows."""
    longest = {name: found.model._meta.get_field(name).max_length for name in columns}
    found.update(**{name: text[: longest[name]] for name in columns})


def planted(text: str) -> None:
    """The text in everything that somebody chooses and a mail may show."""
    put(Merchant.objects.all(), text, "name")
    put(Project.objects.all(), text, "name")
    put(MailRule.objects.all(), text, "shop_name")
    put(User.objects.all(), text, "first_name", "last_name")
    put(Transaction.objects.all(), text, "transaction_id", "product", "method_title", "customer_name")
    put(Item.objects.all(), text, "name", "sku")
    put(Schedule.objects.all(), text, "name")
    put(Export.objects.all(), text, "error", "filter_in_words")
    put(ScheduleMail.objects.all(), text, "error")


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_mails_to_customers(text: str, order: Transaction, ann: Person, wire: Wire) -> None:
    we_mail(order, support_email=SUPPORT, logo=b"a picture")
    document = order.raw_order.document
    places = [*PLATFORMS, text[-20:]]
    items = [
        document["items"][0] | {"id": f"{number:024}", "platform_id": each, "code": text, "name": text}
        for number, each in enumerate(places)
    ]
    mirror.apply(order.merchant, [records.order(document | {"items": items})], timezone.now())
    planted(text)
    Transaction.objects.update(customer_email=CUSTOMER)
    order = fresh(order)
    refund = fresh(order)
    refund.pk, refund.type, refund.status, refund.parent_uuid = uuid.uuid4(), "refund", "refunded", order.pk
    refund.save(force_insert=True)
    actions.fulfil(order, ann.membership, text[:500])
    begin.write(order, Message.Kind.PAYMENT, "payment")
    begin.write(order, Message.Kind.REFUND, "refund", refund_uuid=refund.pk)
    again = Message.objects.filter(kind="key").earliest("pk")
    begin.write(order, Message.Kind.KEY, f"a{begin.REPLACED}1", platform=again.platform, items=again.items)
    for message in Message.objects.order_by("pk"):
        to_customers.send_message(message.pk)
    assert set(Message.objects.values_list("kind", "state")) == {
        (each, "sent") for each in Message.Kind.values
    }
    assert checked(wire, [CUSTOMER] * (len(places) + 3), SUPPORT) == len(places) + 3


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_mails_to_people(text: str, order: Transaction, people: dict[str, User], wire: Wire) -> None:
    owner, lantern = people["owner"], order.merchant
    schedule = daily(lantern, owner, owner)
    asked = {"merchant": lantern, "requested_by": owner, "format": "csv"}
    for state in ("failed", "ready"):
        export = Export.objects.create(**asked, state=state)
        run = ScheduleRun.objects.create(
            merchant=lantern, schedule=schedule, due_at=timezone.now(), export=export
        )
    ScheduleMail.objects.create(
        merchant=lantern, run=run, user=people["support"], try_at=timezone.now(), state="failed"
    )
    Authenticator.objects.create(user=owner, type="totp", data={"secret": encrypt("a")})
    planted(text)
    put(Schedule.objects.all(), text, "paused")
    schedule.refresh_from_db()
    owner.refresh_from_db()
    trouble.tell()
    trouble.tell_of_rest(schedule)
    invitations.invite(fresh(lantern), "new@example.com", "support", owner)
    second_factor.reset(owner)
    expected = [owner.email] * 3 + ["new@example.com", owner.email]
    request = RequestFactory().get("/", headers={"user-agent": text})
    request.user = owner
    with request_context(request):
        for prefix in of_accounts():
            adapter = ClosedAdapter(request)
            adapter.send_notification_mail(prefix, owner, dict.fromkeys(NAMED, text), email=CUSTOMER)
            expected.append(CUSTOMER)
    for mail_id in mailing.due():
        to_people.send_mail(mail_id)
    assert set(Mail.objects.values_list("state", flat=True)) == {"sent"}
    assert checked(wire, expected) > 12


# What allauth's own mails may tell beside who asked.
NAMED = ("email", "new_email", "from_emailaddress", "to_emailaddress", "deleted_email", "username", "code")


def of_accounts() -> list[str]:
    """Every mail that allauth can send, so that one that comes with a new version is probed as well."""
    folder = Path(allauth.__file__).parent / "templates"
    files = [*folder.glob("account/email/*_message.txt"), *folder.glob("mfa/email/*_message.txt")]
    names = [str(each.relative_to(folder)).removesuffix("_message.txt") for each in files]
    return sorted(name for name in names if not name.endswith("/base"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("text", "largest"), [(TEXTS[0], 10**6), (TEXTS[1], 10**6), (TEXTS[3], 1)], ids="abc"
)
def test_mails_of_schedules(
    text: str, largest: int, ann: Person, lantern: Merchant, wire: Wire, folder: Path, settings
) -> None:
    settings.EXPORT_MAIL_ATTACHMENT = largest
    rows.fill(lantern, 5)
    daily(lantern, ann.membership.user, ann.membership.user, query="")
    planted(text)
    with clock(2026, 10, 2, 5):
        work()
    assert checked(wire, ["ann@example.com"]) == 1
    files = list(wire.sent[0].mail.iter_attachments())
    # To the byte: a bare line end in a cell is not turned into another one on the way.
    sums = [hashlib.sha256(each.get_payload(decode=True)).hexdigest() for each in files]
    assert sums == ([Export.objects.get().sha256] if largest > 1 else [])


def test_every_place_that_writes_mails_has_a_probe() -> None:
    made = re.compile(
        r"EmailMessage\(|EmailMultiAlternatives\(|send_mail\(\s*[\"']|send_mass_mail|mail_admins"
    )
    asked = re.compile(r"\b(?:envelope\.write|mailing\.write|mailing\.keep)\(")
    doors, writers = set(), set()
    for app in ("merchant", "fulfillment", "transactions"):
        for path in (live.BASE_DIR / app).rglob("*.py"):
            code, place = path.read_text(), str(path.relative_to(live.BASE_DIR))
            doors |= {place} if made.search(code) else set()
            writers |= {place} if asked.search(code) else set()
    assert doors == {"merchant/envelope.py"}
    assert writers == set(WRITERS)
    assert set(WRITERS.values()) <= set(globals())
