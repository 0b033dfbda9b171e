"""Whether a file that somebody has is one of ours."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from merchant.access import MemberRequest, Right, requires
from transactions.exporting import proving


# The check of the token reads the whole body, which must not happen before the handler is in its place:
# `_answer` checks it.
@csrf_exempt
@require_POST
@requires(Right.EXPORT)
def verify_file(request: MemberRequest) -> HttpResponseBase:
    """Say which export the uploaded file is, if it is one. Nothing of it is kept."""
    fingerprint = proving.Fingerprint(request)
    request.upload_handlers = [fingerprint]
    return _answer(request, fingerprint)


@csrf_protect
def _answer(request: MemberRequest, fingerprint: proving.Fingerprint) -> HttpResponse:
    request.FILES  # noqa: B018 - reads the body, if the check of the token has not
    if fingerprint.too_large:
        messages.error(request, f"Files of up to {filesizeformat(proving.LARGEST)} can be verified here.")
        return redirect("transactions:exports")
    if not fingerprint.sha256:
        messages.error(request, "Choose the file that you want to verify first.")
        return redirect("transactions:exports")
    export = proving.by_sha256(request.membership, fingerprint.sha256).first()
    if export is None:
        messages.error(
            request,
            "This file is not one of your exports as they were made: it comes from elsewhere, was changed or "
            f"saved again, or is too old. Its SHA-256 is {fingerprint.sha256}.",
        )
        return redirect("transactions:exports")
    messages.success(request, "The file is genuine: byte for byte the one of this export.")
    return redirect("transactions:export", export.pk)
