"""A browser, a web server, a worker and a PaySuper: everything that a person would meet."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from merchant import setup
from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, HARBOUR_SECRET, LANTERN, PASSWORD, SNOW, SNOW_SECRET, connect
from tests.fulfillment.post_office import PostOffice, office
from transactions import sync

__all__ = ["office"]
QUEUES = "celery,money,inbox,mail,sync,exports"


@pytest.fixture(scope="session", autouse=True)
def database_from_the_browser_thread() -> None:
    """The browser's driver runs an event loop in the tests' own thread, where Django refuses to work."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """Debian's Chromium, without a sandbox of its own where the tests run as root."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    quiet = [
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    unboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {
        **browser_type_launch_args,
        "executable_path": program,
        "args": [*quiet, "--disable-sync", *unboxed],
    }


@pytest.fixture
def live_paysuper(live_server: LiveServer) -> Iterator[Sandbox]:
    """A PaySuper whose webhooks reach the web server."""
    address = f"{live_server.url}/webhooks/paysuper/{{project_id}}/"
    with Sandbox(orders=120, seed=11, refund_delay=1.0, webhook_url=address) as sandbox:
        yield sandbox


@pytest.fixture
def live_merchant(live_paysuper: Sandbox) -> Merchant:
    """Lantern Works with its owner, two projects and a filled mirror."""
    merchant = connect(LANTERN, "Lantern Works GmbH", live_paysuper.url, "sandbox-lantern-owner-token")
    setup.connect_project(merchant, HARBOUR, name="Lantern Harbour", secret_key=HARBOUR_SECRET)
    setup.connect_project(merchant, SNOW, name="Snow Defender", secret_key=SNOW_SECRET)
    setup.add_member(merchant, "ann@example.com", PASSWORD, "owner")
    sync.sync(merchant, full=True)
    return merchant


@pytest.fixture
def worker(live_merchant: Merchant, tmp_path: Path) -> Iterator[None]:
    """A real Celery worker with a beat of its own, on the tests' database and broker."""
    database = connection.settings_dict
    address = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"{address}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "EXPORT_STORAGE_URL": settings.EXPORT_STORAGE_URL,
    }
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "merchant",
        "worker",
        "-Q",
        QUEUES,
        "-c",
        "2",
        "-l",
        "WARNING",
    ]
    beat = ["--beat", "--schedule", str(tmp_path / "beat"), "--pool", "threads"]
    with (tmp_path / "worker.log").open("w") as log:
        process = subprocess.Popen([*command, *beat], env=environment, stdout=log, stderr=subprocess.STDOUT)
        yield
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, live_merchant: Merchant) -> Page:
    """Ann's browser after she has signed in at the sign-in page."""
    page.goto(f"{live_server.url}/transactions/")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{live_server.url}/transactions/")
    return page


@pytest.fixture
def opened(
    browser: Browser, live_server: LiveServer, live_merchant: Merchant
) -> Iterator[Callable[..., Page]]:
    """Opens a browser of a kind and signs Ann in."""

    def sign_in(**kind: object) -> Page:
        page = browser.new_context(base_url=live_server.url, **kind).new_page()
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill("ann@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/transactions/")
        return page

    yield sign_in
    for context in browser.contexts:
        context.close()


@pytest.fixture
def screenshots() -> Path:
    """Where pictures of the pages are kept to be looked at."""
    folder = Path(settings.BASE_DIR) / ".data" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def mails(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> PostOffice:
    """The mail server of the web server and of the worker, which has to begin later."""
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{office.port}")
    return office
