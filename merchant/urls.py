"""Every address of the product."""

from django.urls import include, path

from merchant import views

urlpatterns = [
    path("", include("transactions.urls")),
    path("", include("fulfillment.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("team/", views.team, name="team"),
    path("settings/", views.connection, name="settings"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
