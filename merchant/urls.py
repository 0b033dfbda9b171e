"""Every address of the product."""

from django.http import Http404
from django.urls import include, path
from django.views.defaults import page_not_found

from merchant import views

urlpatterns = [
    path("", include("transactions.urls")),
    path("", include("fulfillment.urls")),
    # Nobody changes the address they are known by: it could be the one that a new colleague is added with.
    path("accounts/email/", page_not_found, {"exception": Http404()}),
    path("accounts/", include("allauth.account.urls")),
    path("team/", views.team, name="team"),
    path("settings/", views.connection, name="settings"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
