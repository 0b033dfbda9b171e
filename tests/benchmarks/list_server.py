"""The addresses of the product, and beside them the usual ways to show the same table."""

import django_tables2
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from transactions.models import Transaction

# Those of our page.
_COLUMNS = "status project product created_at country method_title transaction_id charge_amount".split()


class TransactionAdmin(admin.ModelAdmin):
    """The change list as Django makes it, with the order of our page and some of its filters."""

    list_display = _COLUMNS
    list_per_page = 50
    ordering = ["-created_at"]
    list_filter = ["status", "type", "project", "method", "country", "charge_currency"]
    search_fields = ["transaction_id", "customer_email"]


class TransactionTable(django_tables2.Table):
    """The table as django-tables2 makes it."""

    class Meta:
        model = Transaction
        fields = _COLUMNS


def table(request: HttpRequest) -> HttpResponse:
    """A page of the merchant's transactions by django-tables2's own paginator, which counts exactly."""
    found = Transaction.objects.filter(merchant=request.membership.merchant).select_related("project")
    shown = TransactionTable(found, order_by="-created_at")
    django_tables2.RequestConfig(request, paginate={"per_page": 50}).configure(shown)
    return HttpResponse(shown.as_html(request))


site = admin.AdminSite()
site.register(Transaction, TransactionAdmin)
urlpatterns = [
    path("admin/", site.urls),
    path("tables/", table),
    path("", include("merchant.urls")),
]
