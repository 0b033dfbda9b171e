"""The addresses of the product, and beside them the peer of its webhook endpoint."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from merchant import walls
from merchant.models import Project
from merchant.paysuper import signature

TABLE = "CREATE TABLE IF NOT EXISTS bench_inbox (id bigserial PRIMARY KEY, project_id bigint, body text)"


@csrf_exempt
@login_not_required
def verify_and_insert(request: HttpRequest, project_id: str) -> HttpResponse:
    """The least that an endpoint can do: check the signature and keep the body."""
    with walls.lifted():  # as of a product that has none
        return _verify_and_insert(request, project_id)


def _verify_and_insert(request: HttpRequest, project_id: str) -> HttpResponse:
    project = Project.objects.get(paysuper_id=project_id)
    if not signature.is_valid(request.body, request.headers["Authorization"], project.secret_key):
        return HttpResponse(status=401)
    with connection.cursor() as cursor:
        row = [project.pk, request.body.decode()]
        cursor.execute("INSERT INTO bench_inbox (project_id, body) VALUES (%s, %s)", row)
    return HttpResponse()


urlpatterns = [
    path("peer/<slug:project_id>/", verify_and_insert),
    path("", include("merchant.urls")),
]
