"""OpenTelemetry's traces, without what would say who customers are. Loaded only where they are wanted."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

_SERVICE = "paysuper-dashboard"
# People search for addresses, and have some of their own. Old and new names of the same.
_ABOUT_PEOPLE = frozenset(
    "url.query client.address network.peer.address net.peer.ip user_agent.original http.user_agent".split()
)
_WHOLE_ADDRESSES = frozenset({"http.url", "http.target", "url.full"})


class _Discreet(OTLPSpanExporter):
    """Sends spans without queries, addresses, and the words of errors: a database quotes the row in them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send what may leave."""
        return super().export([_without_people(span) for span in spans])


def start() -> None:
    """Trace requests, tasks and statements, to OTEL_EXPORTER_OTLP_ENDPOINT."""
    provider = TracerProvider(resource=Resource.create({"service.name": _SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(_Discreet()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument()
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]
    PsycopgInstrumentor().instrument(skip_dep_check=True)


def _without_people(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={
            name: _path(value) if name in _WHOLE_ADDRESSES else value
            for name, value in (span.attributes or {}).items()
            if name not in _ABOUT_PEOPLE
        },
        links=span.links,
        kind=span.kind,
        status=trace.Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _path(address: Any) -> str:
    return urlsplit(str(address)).path
