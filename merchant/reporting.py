"""Sentry and OpenTelemetry, both off without an address. Neither gets secrets, or says who customers are."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

# A database quotes the row that it refuses, with the customer in it.
_QUOTES_ROWS = ("psycopg", "django.db")
# Lines of the log about errors of which Sentry's own integrations tell.
_TOLD_TWICE = frozenset({"request_failed", "task_failed"})
_SAFE_OF_REQUESTS = ("url", "method")


def start(sentry_dsn: str, otlp_endpoint: str) -> None:
    """Begin to report to whom an address is given. Raises ImproperlyConfigured without the packages."""
    try:
        if sentry_dsn:
            _start_sentry(sentry_dsn)
        if otlp_endpoint:
            from merchant import tracing

            tracing.start()
    except ImportError as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN and OTEL_EXPORTER_OTLP_ENDPOINT need: pip install -r requirements-monitoring.txt"
        ) from error


def _start_sentry(dsn: str) -> None:
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        before_send=without_people,
    )


def without_people(event: Any, hint: dict[str, Any]) -> Any:
    """What may leave of an event: where it happened and of what kind it was. None: nothing."""
    if "log_record" in hint:
        name = getattr(hint["log_record"].msg, "get", lambda _: None)("event") or hint["log_record"].name
        if name in _TOLD_TWICE:
            return None
        event.pop("logentry", None)
        event["message"] = name
    request = event.get("request", {})
    event["request"] = {name: request[name] for name in _SAFE_OF_REQUESTS if name in request}
    for name in ("user", "extra", "server_name", "breadcrumbs"):
        event.pop(name, None)
    for error in event.get("exception", {}).get("values", []):
        if str(error.get("module") or "").startswith(_QUOTES_ROWS):
            error["value"] = ""
    return event
