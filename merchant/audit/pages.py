"""The pages of the audit, for owners."""

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from merchant import audit, paging
from merchant.access import MemberRequest, Right, requires
from merchant.audit import chain, telling, trail


@require_safe
@requires(Right.AUDIT)
def audit_page(request: MemberRequest) -> HttpResponse:
    """Who did what, newest first."""
    merchant = request.membership.merchant
    filters = trail.AuditFilter(merchant, request.GET)
    page = paging.page(filters.found.select_related("user"), request.GET.get("cursor", ""))
    query = request.GET.copy()
    query.pop("cursor", None)
    number, _, digest = chain.head(merchant).partition(":")
    context = {
        "filter": filters,
        "page": page,
        "rows": [(entry, telling.details(entry)) for entry in page.rows],
        "query": query.urlencode(),
        "at_most": telling.ROWS_AT_MOST,
        "number": int(number),
        "digest": digest,
    }
    return render(request, "merchant/audit.html", context)


@require_safe
@requires(Right.AUDIT)
def audit_csv(request: MemberRequest) -> HttpResponseBase:
    """What the filters find, as CSV; that it was taken is audited too."""
    merchant, now = request.membership.merchant, timezone.now()
    filters = trail.AuditFilter(merchant, request.GET)
    found = filters.found.filter(at__lt=now)
    asked = {name: str(request.GET[name])[:254] for name in filters.fields if request.GET.get(name)}
    audit.record(merchant, request.membership.user, "audit.exported", "audit", filter=asked)
    headers = {"Content-Disposition": f'attachment; filename="audit-{now:%Y-%m-%d-%H%M}.csv"'}
    lines = telling.csv_lines(found)
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
