"""Whatever is sent to the webhook endpoint over HTTP, it answers as PaySuper must be answered, and soon."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pytest_django.live_server_helper import LiveServer

from fulfillment import tasks
from fulfillment.models import WebhookEvent
from merchant.models import Merchant
from merchant.paysuper.signature import sign
from tests.conftest import HARBOUR, HARBOUR_SECRET, person

pytestmark = pytest.mark.django_db(transaction=True)

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(LEAVES, lambda some: st.lists(some) | st.dictionaries(st.text(), some), max_leaves=12)
OBJECTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("id", "status", "testing_case", "amount", "currency", "charge_amount", "method", "items"), JSON
    ),
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "type": st.sampled_from(["notification", "check_user", 5]),
        "event": st.sampled_from(["payment.success", "user.validate", ""]) | JSON,
        "object": OBJECTS | JSON,
    },
)
HEADER_TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=100)
HEADERS = st.dictionaries(
    st.sampled_from(["Authorization", "Content-Type", "User-Agent", "X-Request-Id", "Cookie", "Accept"]),
    HEADER_TEXT,
)


def sent(live_server: LiveServer, body: bytes, headers: dict[str, str]) -> int:
    address = urlsplit(live_server.url)
    line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    try:
        line.request("POST", f"/webhooks/paysuper/{HARBOUR}/", body, headers)
        answer = line.getresponse()
        answer.read()
    finally:
        line.close()
    return answer.status


@MANY
@given(body=st.binary(max_size=300), headers=HEADERS)
def test_any_bytes_and_headers_are_turned_away(
    live_server: LiveServer, lantern: Merchant, body: bytes, headers: dict[str, str]
) -> None:
    assert sent(live_server, body, headers) == 401
    assert not WebhookEvent.objects.exists()


@MANY
@given(body=st.binary(max_size=300), headers=HEADERS)
def test_any_signed_bytes_are_answered_as_the_contract_has_it(
    live_server: LiveServer, lantern: Merchant, body: bytes, headers: dict[str, str]
) -> None:
    signed = {"Authorization": sign(body, HARBOUR_SECRET)}
    assert sent(live_server, body, headers | signed) in {200, 400}


@MANY
@given(document=ENVELOPES)
def test_any_signed_event_is_kept_processed_and_shown(
    live_server: LiveServer, lantern: Merchant, document: dict[str, Any]
) -> None:
    body = json.dumps(document).encode()
    status = sent(live_server, body, {"Authorization": sign(body, HARBOUR_SECRET)})
    assert status in {200, 400}
    if status == 200:
        row = WebhookEvent.objects.latest("last_received_at")
        WebhookEvent.objects.filter(pk=row.pk).update(order_uuid=None)  # nobody is asked
        tasks.process_webhook(row.pk)
        assert WebhookEvent.objects.get(pk=row.pk).state == "ignored"
        assert person(lantern, "ann", "owner").browser.get(f"/webhooks/{row.pk}/").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"x","n":' + b"1" * 5000 + b"}",
        b'{"id":"x","n":1e999999,"m":-0.0}',
        b'{"id":"x","n":' + b"[" * 900 + b"]" * 900 + b"}",
        rb'{"id":"\ud800","event":"\u0000","object":{"id":"\udfff"}}',
        b'{"id":"x","object":{"platform_id":1,"code":{"a":[]}}}',
    ],
)
def test_extreme_documents_are_kept_and_shown_or_unreadable(
    live_server: LiveServer, lantern: Merchant, body: bytes
) -> None:
    status = sent(live_server, body, {"Authorization": sign(body, HARBOUR_SECRET)})
    assert status in {200, 400}
    browser = person(lantern, "ann", "owner").browser
    for row in WebhookEvent.objects.all():
        assert browser.get(f"/webhooks/{row.pk}/").status_code == 200
