"""A customer who asks for it is forgotten: nothing says who they were, every sum stays, and it stays so."""

import io
import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from fulfillment.erasing import NotYet, erase
from fulfillment.models import Action, ServerCall, WebhookEvent
from merchant.encryption import decrypt
from merchant.models import AuditEvent, Merchant, Project
from tests.conftest import LANTERN, Person
from transactions import mirror, sync
from transactions.models import DailyTotal, MonthlyTotal, Note, RawOrder, Transaction


@pytest.fixture
def customer(mirrored: Merchant) -> Transaction:
    """An order of somebody, as it was."""
    found = Transaction.objects.filter(merchant=mirrored, status="processed").exclude(customer_email="")
    return found.exclude(customer_name="").latest("created_at")


def telltale(order: Transaction) -> list[str]:
    """What would tell who this was."""
    user = order.raw_order.document["user"]
    known = {order.customer_email, order.customer_name, order.customer_id}
    known |= {user.get(name) for name in ("email", "name", "phone", "ip", "external_id", "id")}
    # Two customers may have one address in the net.
    others = Transaction.objects.exclude(customer_email=order.customer_email).exclude(parent_uuid=order.pk)
    theirs = str(list(RawOrder.objects.filter(transaction__in=others).values_list("document")))
    return sorted(each for each in known if each and len(each) > 3 and each not in theirs)


def everything() -> str:
    """All rows of all tables, decrypted where they are ciphertext."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT query_to_xml('SELECT * FROM transactions_transaction', true, true, '')::text")
        mirror_rows = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(document::text, ' ') FROM transactions_raworder")
        documents = cursor.fetchone()[0]
        cursor.execute(
            "SELECT body FROM fulfillment_webhookevent UNION ALL SELECT body FROM fulfillment_servercall"
        )
        bodies = " ".join(decrypt(body) for (body,) in cursor.fetchall())
    audited = str(list(AuditEvent.objects.values_list("subject", "data")))
    return " ".join([mirror_rows, documents, bodies, audited, str(list(Note.objects.values_list("text")))])


def sums() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (DailyTotal, MonthlyTotal)]


def surroundings(order: Transaction, ann: Person, state: str = "taken") -> None:
    """A webhook, a call and a note that know the customer."""
    now, mine = timezone.now(), {"merchant": order.merchant}
    body = json.dumps({"object": order.raw_order.document["user"]})
    WebhookEvent.objects.create(
        **mine, project=order.project, event="payment.success", order_uuid=order.pk, body=body,
        last_received_at=now, try_at=now, event_id="a", object_hash="b",
    )  # fmt: skip
    told = {
        "order": {
            "customer": {"email": order.customer_email},
            "items": [{"code": "K", "metadata": {"a": "b"}}],
        }
    }
    ServerCall.objects.create(
        **mine, project=order.project, transaction=order, event="order.paid", body=json.dumps(told),
        try_at=now, state=state,
    )  # fmt: skip
    Note.objects.create(**mine, transaction=order, text=order.customer_name, written_by=ann.membership.user)


def test_nothing_says_who_it_was_and_every_sum_stays(customer: Transaction, ann: Person) -> None:
    surroundings(customer, ann)
    told, before, amount = telltale(customer), sums(), customer.charge_amount
    assert {customer.customer_email, customer.customer_name} <= {*told}
    assert all(each in everything() for each in told)
    erased = erase(customer.merchant, customer.customer_email.upper(), ann.membership.user)
    left = everything()
    assert [each for each in told if each in left] == []
    assert sums() == before
    customer.refresh_from_db()
    assert (customer.charge_amount, customer.customer_email, customer.customer_id) == (amount, "", "")
    assert json.loads(ServerCall.objects.get().body)["order"]["items"] == [{"code": "K", "metadata": None}]
    assert erased.orders >= erased.webhooks == 1
    entry = AuditEvent.objects.get(event="customer.erased")
    assert (entry.user, entry.data["orders"]) == (ann.membership.user, erased.orders)
    assert ann.browser.get(f"/transactions/{customer.pk}/").status_code == 200


def test_neither_a_sync_nor_a_repair_brings_the_person_back(customer: Transaction, ann: Person) -> None:
    told, merchant = telltale(customer), customer.merchant
    erase(merchant, customer.customer_email)
    Transaction.objects.filter(merchant=merchant).update(
        fingerprint="", asked_at=timezone.now().replace(year=2000)
    )
    sync.sync(merchant, full=True)
    assert Transaction.objects.exclude(fingerprint="").filter(pk=customer.pk).exists()
    left = everything()
    assert [each for each in told if each in left] == []
    assert list(sync.drift(merchant, deep=True)) == []
    Transaction.objects.filter(pk=customer.pk).update(country="ZZ")
    assert [each for each in sync.drift(merchant, repair=True) if "country is ZZ" in each]
    left = everything()
    assert [each for each in told if each in left] == []


def test_other_customers_and_other_merchants_keep_theirs(
    customer: Transaction, copper: Merchant, ann: Person
) -> None:
    mine = Transaction.objects.exclude(customer_email=customer.customer_email)
    mine = mine.exclude(customer_id=customer.customer_id).exclude(parent_uuid=customer.pk)
    before = {pk: mail for pk, mail in mine.values_list("pk", "customer_email") if mail}
    Transaction.objects.filter(merchant=copper).update(customer_email=customer.customer_email)
    erase(customer.merchant, customer.customer_email)
    theirs = Transaction.objects.filter(merchant=copper)
    assert theirs.exclude(customer_email=customer.customer_email).count() == 0
    after = dict(Transaction.objects.filter(merchant=customer.merchant).values_list("pk", "customer_email"))
    assert {pk for pk in before if pk in after and after[pk] != before[pk]} == set()


@pytest.mark.parametrize("kind", ["refund", "call"])
def test_what_is_under_way_comes_first(customer: Transaction, ann: Person, kind: str) -> None:
    if kind == "refund":
        asked = {"kind": "refund", "state": "requested", "requested_by": ann.membership.user}
        Action.objects.create(
            merchant=customer.merchant, transaction=customer, **asked, reference=str(uuid4())[:20]
        )
    else:
        surroundings(customer, ann, state="waiting")
    with pytest.raises(NotYet):
        erase(customer.merchant, customer.customer_email)
    customer.refresh_from_db()
    assert customer.customer_email
    assert RawOrder.objects.get(pk=customer.pk).document["user"]
    assert not AuditEvent.objects.filter(event="customer.erased").exists()


def test_the_command_wants_the_number_typed_out(customer: Transaction) -> None:
    asked = {"merchant_id": LANTERN, "customer": customer.customer_email}
    count = mirror.of_customer(customer.merchant, customer.customer_email).count()
    with pytest.raises(CommandError, match=f"--confirm 'ERASE {count}'"):
        call_command("erase_customer", **asked)
    assert Transaction.objects.get(pk=customer.pk).customer_email
    said = io.StringIO()
    call_command("erase_customer", **asked, confirm=f"ERASE {count}", stdout=said)
    assert "Forgotten in" in said.getvalue()
    assert not Transaction.objects.get(pk=customer.pk).customer_email
    with pytest.raises(CommandError, match="No order is known"):
        call_command("erase_customer", **asked, confirm=f"ERASE {count}")


def test_nobody_is_found_by_nothing(mirrored: Merchant, harbour: Project) -> None:
    assert not mirror.of_customer(mirrored, "").exists()
    assert erase(mirrored, " ").orders == 0
