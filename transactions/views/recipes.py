"""A person's recipes for exports."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from merchant.access import MemberRequest, Right, requires
from transactions import recipes
from transactions.models import Export


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.EXPORT)
def export_recipes(request: MemberRequest) -> HttpResponse:
    """The person's recipes and the form of one, `name` or a new one; a POST keeps it."""
    if request.method == "POST":
        return _save(request)
    found = recipes.kept_by(request.membership)
    named = {recipe.name: recipe for recipe in found}
    current = named.get(request.GET.get("name", ""))
    places = {key: place for place, key in enumerate(current.columns, 1)} if current else {}
    context = {
        "recipes": found,
        "current": current,
        "columns": [(key, title, places.get(key, "")) for key, title in recipes.COLUMNS.items()],
        "formats": Export.Format,
        "dialects": recipes.DIALECTS_IN_WORDS.items(),
    }
    return render(request, "transactions/recipes.html", context)


@require_POST
@requires(Right.EXPORT)
def delete_recipe(request: MemberRequest) -> HttpResponse:
    """Delete a recipe."""
    recipes.delete(request.membership, request.POST.get("name", ""))
    messages.success(request, "The recipe is deleted.")
    return redirect("transactions:recipes")


def _save(request: MemberRequest) -> HttpResponse:
    try:
        recipe = recipes.save(request.membership, request.POST)
    except recipes.NotChosen as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The recipe “{recipe.name}” is saved: you find it in the menu Export.")
    return redirect("transactions:recipes")
