"""What the filters with a list of values offer: what has been seen, and what is asked for."""

import re
from collections.abc import Iterable

from merchant import countries
from merchant.models import Merchant, Project
from transactions.filters.choices import Choices

_LONGEST = 100
_PROJECT_ID = re.compile("[0-9a-f]{24}")


def values(name: str, choices: Choices, asked: Iterable[str]) -> list[tuple[str, str]]:
    """The values of the filter `name` with their titles.

    A value that nobody has seen yet, such as a method that is seconds old, is no mistake: it finds nothing.
    """
    seen = choices.by_filter[name]
    unseen = set(asked) - {value for value, _ in seen}
    if name == "project" or not unseen:
        return seen
    titles = countries.names() if name == "country" else {}
    sayable = sorted(value for value in unseen if len(value) <= _LONGEST and "\0" not in value)
    return [*seen, *((value, titles.get(value, value)) for value in sayable)]


def with_new_projects(choices: Choices, merchant: Merchant, asked: Iterable[str]) -> Choices:
    """The choices with those projects among `asked` that the merchant got less than a minute ago."""
    unseen = [each for each in asked if each not in choices.projects and _PROJECT_ID.fullmatch(each)]
    if not unseen:
        return choices
    new = Project.objects.filter(merchant=merchant, paysuper_id__in=unseen)
    rows = list(new.values_list("paysuper_id", "name", "pk"))
    offered = [*choices.by_filter["project"], *((value, title) for value, title, _ in rows)]
    keys = {value: key for value, _, key in rows}
    return Choices({**choices.by_filter, "project": offered}, {**choices.projects, **keys})
