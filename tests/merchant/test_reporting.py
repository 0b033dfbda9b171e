"""Sentry and OpenTelemetry hear of trouble, and of nobody's secrets."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import brotli
import pytest
from django.core.exceptions import ImproperlyConfigured

from merchant import reporting

# A page that breaks with a customer and a secret in its hands.
PAGE = """
import os, django
from django.test import RequestFactory
os.environ["DJANGO_SETTINGS_MODULE"] = "merchant.settings"
django.setup()
from django.core.wsgi import get_wsgi_application
from django.conf import settings
from django.urls import path
from merchant import urls
from django.contrib.auth.decorators import login_not_required
from django.db import connection, IntegrityError

@login_not_required
def breaks(request):
    token = "tkn-4711-secret"
    raise IntegrityError("Failing row contains (jane@customer.example)")

urls.urlpatterns.append(path("breaks/", breaks))
plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
application = get_wsgi_application()
environ = RequestFactory().get("/breaks/?q=jane@customer.example", HTTP_COOKIE="session=tkn-4711-secret",
    HTTP_AUTHORIZATION="Bearer tkn-4711-secret").environ
environ["SERVER_NAME"] = "localhost"
print(b"".join(application(environ, lambda status, headers: print(status)))[:20])
import sentry_sdk; sentry_sdk.flush()
from opentelemetry import trace
getattr(trace.get_tracer_provider(), "force_flush", lambda: None)()
"""

PLAIN = {None: bytes, "gzip": gzip.decompress, "br": brotli.decompress}


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address, and what is sent there."""
    heard: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(PLAIN[self.headers.get("Content-Encoding")](body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()


def test_both_hear_what_broke_and_nothing_of_who_and_with_what(listener) -> None:
    address, heard = listener
    environment = os.environ | {
        "SENTRY_DSN": f"http://key@{address}/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PAGE], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert "500" in done.stdout, done.stderr
    errors = [each for each in heard if b"IntegrityError" in each and b"stacktrace" in each]
    traces = [each for each in heard if b"paysuper-dashboard" in each and b"breaks/" in each]
    assert errors
    assert traces
    event = json.loads(errors[0].splitlines()[2])
    assert event["request"] == {"url": "http://localhost/breaks/", "method": "GET"}
    for each in heard:
        assert b"jane@customer.example" not in each
        assert b"tkn-4711-secret" not in each


def test_without_addresses_nothing_is_even_loaded() -> None:
    names = "SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"
    # Celery and redis-py look for OpenTelemetry by themselves; ours is in merchant.tracing.
    code = "import django,sys; django.setup(); print({'sentry_sdk', 'merchant.tracing'} & set(sys.modules))"
    environment = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"DJANGO_SETTINGS_MODULE": "merchant.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"


def test_an_address_without_the_packages_stops_the_start(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(ImproperlyConfigured, match="requirements-monitoring"):
        reporting.start("http://key@127.0.0.1/1", "")
