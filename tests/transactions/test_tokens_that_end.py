"""A merchant's token ends while nobody looks: the line renews it and the mirror goes on."""

import datetime as dt

import httpx2
import pytest
from django.utils import timezone

from merchant.models import Merchant
from merchant.paysuper.errors import NotAllowed
from merchant.paysuper.sandbox import Sandbox
from transactions import sync
from transactions.models import SyncState


@pytest.fixture
def renewable(lantern: Merchant, paysuper: Sandbox) -> Merchant:
    lantern.refresh_token = "sandbox-lantern-owner-refresh-token"
    lantern.token_url = f"{paysuper.url}/sandbox/token"
    lantern.save()
    return lantern


def test_a_token_that_was_ended_is_renewed_and_the_sync_goes_on(
    renewable: Merchant, paysuper: Sandbox
) -> None:
    httpx2.post(f"{paysuper.url}/sandbox/tokens/expire")
    before = renewable.api_token
    assert sync.sync(renewable, full=True).added
    renewable.refresh_from_db()
    assert renewable.api_token != before
    assert renewable.token_expires_at > timezone.now() + dt.timedelta(minutes=1)


def test_without_a_refresh_token_an_ended_token_is_noted_and_kept(
    lantern: Merchant, paysuper: Sandbox
) -> None:
    httpx2.post(f"{paysuper.url}/sandbox/tokens/expire")
    with pytest.raises(NotAllowed):
        sync.sync(lantern, full=True)
    assert SyncState.objects.get().is_failing
    lantern.refresh_from_db()
    assert lantern.api_token == "sandbox-lantern-owner-token"
