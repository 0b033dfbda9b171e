"""The facts in Prometheus' words. Every process tells the same: all of it lies in database and Redis."""

from collections.abc import Callable, Iterable, Iterator

import redis
import structlog
from django.db import Error as DatabaseTrouble
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric

from fulfillment.operations.broker import queues
from fulfillment.operations.facts import copy, mirrors, piles
from merchant import measures, pulse

log = structlog.get_logger()
_PREFIX = "dashboard_"


def text() -> bytes:
    """All metrics, of all merchants. What cannot be asked is left out, and `dashboard_up` says so."""
    registry = CollectorRegistry()
    registry.register(_Everything())
    return generate_latest(registry)


class _Everything:
    """What Prometheus' library asks for metrics."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(f"{_PREFIX}up", "1: it answers", labels=["part"])
        parts: dict[str, Callable[[], Iterable[Metric]]] = {
            "database": lambda: [*_mirrors(), *_piles(), *_replica()],
            "broker": lambda: [*_broker(), *_durations()],
        }
        for part, ask in parts.items():
            try:
                yield from ask()
            except (DatabaseTrouble, redis.RedisError) as error:
                log.warning("not_measured", part=part, error=type(error).__name__)
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
        yield up


def _mirrors() -> list[Metric]:
    gauges = {
        "age": _gauge("sync_age_seconds", "Since the last good sync", "merchant"),
        "failing": _gauge("sync_failing", "1: the last sync failed", "merchant"),
        "rests": _gauge("line_rests", "1: PaySuper does not answer and is left alone", "merchant"),
        "drift": _gauge("drift_orders", "Differences found by the last check_drift", "merchant"),
        "checked": _gauge("drift_checked_age_seconds", "Since the last check_drift", "merchant"),
    }
    for each in mirrors():
        values = {
            "age": each.age,
            "failing": each.is_failing,
            "rests": each.rests,
            "drift": each.drift,
            "checked": each.drift_age,
        }
        for name, value in values.items():
            if value is not None:
                gauges[name].add_metric([each.merchant], float(value))
    return list(gauges.values())


def _piles() -> list[Metric]:
    rows = _gauge("rows", "Rows that wait, or failed in the last day", "kind", "state")
    oldest = _gauge("rows_oldest_seconds", "Age of the oldest of them", "kind", "state")
    for pile in piles():
        rows.add_metric([pile.kind, pile.state], pile.count)
        oldest.add_metric([pile.kind, pile.state], pile.oldest)
    return [rows, oldest]


def _replica() -> list[Metric]:
    answers = _gauge("replica_answers", "1: the replica answers and follows the database")
    lag = _gauge("replica_lag_seconds", "What the replica lacks of the database; nothing while it is silent")
    limit = _gauge("replica_lag_limit_seconds", "REPLICA_MAX_LAG: one further behind is not read")
    if found := copy():
        answers.add_metric([], found.lag is not None)
        limit.add_metric([], found.limit)
        if found.lag is not None:
            lag.add_metric([], found.lag)
    return [answers, lag, limit]


def _broker() -> list[Metric]:
    length = _gauge("queue_messages", "Messages that wait", "queue")
    oldest = _gauge("queue_oldest_seconds", "Age of the oldest message", "queue")
    served = _gauge("queue_served", "1: a worker was heard in the last minute", "queue")
    for queue in queues():
        length.add_metric([queue.name], queue.length)
        oldest.add_metric([queue.name], queue.oldest or 0.0)
        served.add_metric([queue.name], queue.pulse is not None)
    beat = _gauge("beat_alive", "1: beat was heard in the last minute")
    beat.add_metric([], pulse.ages()[pulse.BEAT] is not None)
    return [length, oldest, served, beat]


def _durations() -> Iterator[Metric]:
    yield _histogram(measures.PAYSUPER, "paysuper_request_seconds", "Calls to PaySuper", "call")
    yield _histogram(measures.TASK, "task_seconds", "Tasks, exports among them", "task")


def _histogram(what: str, name: str, words: str, label: str) -> Metric:
    histogram = HistogramMetricFamily(f"{_PREFIX}{name}", words, labels=[label, "outcome"])
    for each in measures.read(what):
        seen, buckets = 0, []
        for limit, count in zip((*measures.LIMITS, float("inf")), each.counts, strict=True):
            seen += count
            buckets.append(("+Inf" if limit == float("inf") else str(limit), float(seen)))
        histogram.add_metric([each.name, each.outcome], buckets, sum_value=each.total)
    return histogram


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{_PREFIX}{name}", words, labels=labels)
