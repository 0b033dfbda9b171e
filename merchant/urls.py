"""Every address of the product."""

from django.http import Http404
from django.urls import include, path
from django.views.defaults import page_not_found

from merchant import views
from merchant.audit import pages as audit

urlpatterns = [
    path("", include("transactions.urls")),
    path("", include("fulfillment.urls")),
    # Nobody changes the address they are known by: it could be the one that a new colleague is added with.
    path("accounts/email/", page_not_found, {"exception": Http404()}),
    path("accounts/", include("allauth.account.urls")),
    path("team/", views.team, name="team"),
    path("settings/", views.connection, name="settings"),
    path("audit/", audit.audit_page, name="audit"),
    path("audit/export/", audit.audit_csv, name="audit_csv"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
