"""Every address of the product."""

from typing import Any

from allauth.mfa import urls as second_factor
from django.db import transaction
from django.urls import URLResolver, include, path

from merchant import views
from merchant.audit import pages as audit
from merchant.views import account, team


def _whole(patterns: list[Any]) -> list[Any]:
    """The same addresses; what their views change and note counts together or not at all."""
    for each in patterns:
        if isinstance(each, URLResolver):
            _whole(each.url_patterns)
        else:
            each.callback = transaction.atomic(each.callback)
    return patterns


urlpatterns = [
    path("", include("transactions.urls")),
    path("", include("fulfillment.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/second-factor/", include(_whole(second_factor.urlpatterns))),
    path("account/", account.account, name="account"),
    path("account/merchant/", account.choose, name="choose_merchant"),
    path("account/leave/", account.leave, name="leave"),
    path("account/sessions/", account.sessions, name="sessions"),
    path("account/sessions/end-others/", account.end_other_sessions, name="end_other_sessions"),
    path("account/sessions/<int:session_id>/end/", account.end_session, name="end_session"),
    path("invitation/", account.invitation, name="invitation"),
    path("team/", team.team, name="team"),
    path("team/rights/", team.rights, name="rights"),
    path("team/second-factor/", team.ask_for_second_factor, name="ask_for_second_factor"),
    path("team/invite/", team.invite, name="invite"),
    path("team/invitations/<int:invitation_id>/resend/", team.resend, name="resend_invitation"),
    path("team/invitations/<int:invitation_id>/revoke/", team.revoke, name="revoke_invitation"),
    path("team/<int:membership_id>/", team.person, name="person"),
    path("team/<int:membership_id>/deactivate/", team.deactivate, name="deactivate_person"),
    path("team/<int:membership_id>/let-back-in/", team.let_back_in, name="let_back_in"),
    path("settings/", views.connection, name="settings"),
    path("audit/", audit.audit_page, name="audit"),
    path("audit/export/", audit.audit_csv, name="audit_csv"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
