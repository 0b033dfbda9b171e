"""Reads what PaySuper says about a merchant's projects and about its token."""

import structlog
from django.utils import timezone

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import SandboxClient
from merchant.paysuper.errors import NoAnswer, NotSent, PaySuperError
from transactions import mirror
from transactions.mirror.projects import apply_projects
from transactions.models import Connection

log = structlog.get_logger()


def read_projects(merchant: Merchant) -> Connection:
    """Look at the merchant's projects and token; trouble is kept for the pages, and raised by nobody."""
    read_at = timezone.now()
    try:
        with line.sandbox(merchant) as client:
            found = _look(client, merchant)
            records = list(client.projects())
        for record in records:
            mirror.update_project(merchant, record.id, record.name, record.merchant_id)
    except PaySuperError as error:
        log.warning("projects_not_read", merchant=merchant.paysuper_id, status=error.status, code=error.code)
        found = {"failed_at": timezone.now(), "error": str(error)[:300]}
    else:
        apply_projects(merchant, records, read_at)
        found |= {"succeeded_at": timezone.now(), "error": ""}
    return Connection.objects.update_or_create(merchant=merchant, defaults=found)[0]


def _look(client: SandboxClient, merchant: Merchant) -> dict[str, object]:
    mine = next(iter(client.merchants()), None)
    found: dict[str, object] = {
        "token_merchant": mine.id[:50] if mine else "",
        "role": mine.role.removeprefix("merchant_")[:50] if mine else "",
    }
    try:
        return found | {"is_sandbox": client.is_sandbox()}
    except (NotSent, NoAnswer) as error:
        # Whatever stands there, it answers our real questions.
        log.info("sandbox_not_known", merchant=merchant.paysuper_id, status=error.status)
        return found
