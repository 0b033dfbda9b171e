"""What is done by the clock for whole merchants."""

import structlog
from celery import shared_task

from merchant.audit import chain
from merchant.models import Merchant

log = structlog.get_logger()


@shared_task
def verify_audit() -> None:
    """Recompute every chain, and note its end in the log: a place that whoever rewrites the audit must
    reach too.
    """
    for merchant in Merchant.objects.order_by("pk"):
        if found := chain.breaks(merchant):
            log.error("audit_broken", merchant=merchant.paysuper_id, where=[str(each) for each in found])
        else:
            log.info("audit_holds", merchant=merchant.paysuper_id, head=chain.head(merchant))
