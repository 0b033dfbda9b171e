"""What customers and staff write is shown as they wrote it on every page and in every mail."""

import itertools
import json
import re
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import models
from django.test import Client as Browser
from django.urls import get_resolver

from fulfillment.mailing import writing
from fulfillment.models import Message, TestPayment, WebhookEvent
from merchant import audit, invitations, mailing
from merchant.models import AuditEvent, Mail, Merchant, User
from tests.conftest import signed_in
from tests.security.places import read
from tests.security.requests import Request
from tests.test_access import EXPECTED, walk
from transactions.models import RawOrder, Transaction

MARKUP = "<i onx=7>"
TEXT = f"'\">{MARKUP}"
ESCAPED = "&#x27;&quot;&gt;&lt;i onx=7&gt;"
# Not what anybody writes: addresses that were checked, codes, hashes, and markup of our own.
OURS = re.compile(
    r"time_zone|totals_zone|api_.*|.*_url|.*token.*|.*hash|.*secret.*|digest|sha256|control|fingerprint|key|"
    r"event_id|event|body|query|file_name|refund_state|activation_keys|html|headers|payout_currency|testing_case|"
    r"order_status|control|language|platform|locale|password|.*_digest|layout|rhythm|generation|kind"
)


# Files, pictures, and answers to programs.
NO_PAGES = {
    "/audit/export/",
    "/batches/<uuid:batch_id>/download/",
    "/exports/<uuid:export_id>/download/",
    "/exports/<uuid:export_id>/notes/",
    "/healthz",
    "/readyz",
    "/receipts/<str:token>/logo/",
    "/thanks/<slug:project_id>/logo/",
    "/transactions/<uuid:uuid>/receipt/",
    "/transactions/newer/",
}


def written(model: type[models.Model]) -> list[str]:
    """The columns of free text, long enough for an attack."""
    texts = (models.CharField, models.TextField)
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, texts)
        and not (field.choices or field.unique or OURS.fullmatch(field.name))
        and (field.max_length or 999) > len(TEXT)
    ]


def poisoned(value: Any) -> Any:
    """A document in which every text that could be anything is an attack."""
    if isinstance(value, dict):
        return {name: poisoned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    is_code = r"[0-9a-fA-F-]+|.*\d:\d.*|[A-Z0-9_.]+|.{0,3}"
    if not isinstance(value, str) or re.fullmatch(is_code, value):
        return value
    return TEXT


@pytest.fixture
def attacked(things: dict[str, object], order: Transaction, people: dict[str, User]) -> int:
    """The number of columns that hold an attack now."""
    kind = {
        name: order.raw_order.document.get(name)
        for name in ("status", "type", "object", "items", "platform_id")
    }
    columns = 0
    # The audit stays as it is written, also here.
    audit.record(order.merchant, people["owner"], "text.tried", TEXT, note=TEXT)
    for model in set(apps.get_models()) - {AuditEvent}:
        names = {field.name for field in model._meta.concrete_fields}
        if "merchant" not in names and model not in (Merchant, User):
            continue
        if (texts := written(model)) and model._base_manager.exists():
            model._base_manager.update(**dict.fromkeys(texts, TEXT))
            columns += len(texts)
    items = [poisoned({"name": "name of it"}) | each | {"name": TEXT} for each in kind.pop("items") or []]
    document = poisoned(order.raw_order.document) | kind | {"items": items}
    RawOrder.objects.update(document=json.loads(json.dumps(document, default=float)))
    WebhookEvent.objects.update(body=json.dumps({"object": {"user": {"email": TEXT}}}))
    TestPayment.objects.update(return_token="t" * 22)
    return columns


def test_no_page_takes_a_text_for_markup(
    attacked: int,
    things: dict[str, object],
    people: dict[str, User],
) -> None:
    browsers = {who: signed_in(people[who]) for who in ("owner", "support", "view_only")}
    browsers["anonymous"] = Browser()
    pages, showing, shown, bad = set(), set(), 0, []
    for pattern in sorted(set(walk(get_resolver()))):
        for who, browser in browsers.items():
            parts = {part: str(thing) for part, thing in things.items() if part in pattern}
            cache.clear()  # nobody asks as often as a test
            answer = Request(who, "GET", pattern, parts, [("q", TEXT), ("product", TEXT)]).send(browser)
            content = read(answer).decode(errors="replace")
            if "html" not in answer.get("Content-Type", ""):
                continue
            if MARKUP in content:
                bad.append((who, pattern, content[content.index(MARKUP) - 80 :][:160]))
            if answer.status_code == 200:
                pages.add((who, pattern))
                shown += content.count("&lt;i onx=7&gt;")
                showing |= {pattern} if "&lt;i onx=7&gt;" in content else set()
    assert bad == []
    allowed = {
        (who, pattern)
        for who, (pattern, method) in itertools.product(browsers, EXPECTED)
        if method == "GET" and EXPECTED[pattern, method][who] == "200"
    }
    assert {pattern for _, pattern in allowed - pages} == NO_PAGES
    assert attacked > 45
    assert len(showing) > 70
    assert shown > 1_000


def test_no_mail_takes_a_text_for_markup(
    attacked: int,
    order: Transaction,
    people: dict[str, User],
) -> None:
    order.refresh_from_db()
    invited = order.merchant.invitations.get()
    invitations.resend(invited, people["owner"])
    made = [Mail.objects.latest("pk").html]
    made.append(mailing.write(order.merchant, "a@b.example", "invitation", TEXT, invitation=invited).html)
    message = Message.objects.get()
    for item in (Message.Kind.PAYMENT, Message.Kind.KEY):
        message.kind = item
        made.append(writing.letter(message, order).html)
    assert [html for html in made if MARKUP in html] == []
    assert sum(ESCAPED in html or "&lt;i onx=7&gt;" in html for html in made) >= 3
