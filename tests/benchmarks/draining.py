"""`python -m tests.benchmarks.draining`: processes every queued webhook in a process of its own.

Prints as JSON how long it took, how many events there were and how much memory it held at most.
"""

import json
import logging
import time

import django


def main() -> None:
    """Drain the queue as a worker does, task by task."""
    django.setup()
    logging.disable(logging.INFO)
    from fulfillment import tasks
    from fulfillment.models import WebhookEvent
    from tests.benchmarks.filling import most_memory

    waiting = WebhookEvent.objects.filter(state=WebhookEvent.State.RECEIVED)
    start, events = time.perf_counter(), 0
    for pk in waiting.values_list("pk", flat=True).iterator():
        tasks.process_webhook(pk)
        events += 1
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "events": events, "megabytes": most_memory()}))


if __name__ == "__main__":
    main()
