"""What stands above every list of a merchant: the values that its filters offer, and the saved views.

One query reads both, so that the first page of the minute asks one more than the others, not two.
"""

from dataclasses import dataclass, field

from django.db import connection

from merchant import countries
from merchant.models import Merchant
from transactions import remembered

# From one value to the next along the index of each column: a step a value, however many rows there are.
# DISTINCT would read all of them.
_STEPS = """
{column} (value) AS (
    SELECT min({column}) FROM transactions_transaction WHERE merchant_id = %(merchant)s AND {column} > ''
    UNION ALL
    SELECT (
        SELECT min({column}) FROM transactions_transaction
        WHERE merchant_id = %(merchant)s AND {column} > before.value
    ) FROM {column} AS before WHERE before.value IS NOT NULL
)"""
_SQL = f"""
WITH RECURSIVE {", ".join(_STEPS.format(column=each) for each in ("method", "country", "charge_currency"))}
SELECT 'project', paysuper_id, name, id, 0, FALSE FROM merchant_project WHERE merchant_id = %(merchant)s
UNION ALL SELECT 'country', value, '', 0, 0, FALSE FROM country WHERE value IS NOT NULL
UNION ALL SELECT 'currency', value, value, 0, 0, FALSE FROM charge_currency WHERE value IS NOT NULL
UNION ALL SELECT 'method', value, (
    SELECT method_title FROM transactions_transaction AS newest
    WHERE merchant_id = %(merchant)s AND newest.method = method.value
    ORDER BY created_at DESC, uuid DESC LIMIT 1
), 0, 0, FALSE FROM method WHERE value IS NOT NULL
UNION ALL SELECT 'view', name, query, id, owner_id, shared
FROM transactions_savedview WHERE merchant_id = %(merchant)s
"""


@dataclass(frozen=True)
class Choices:
    """Values with their titles by filter, and the keys of the projects by PaySuper's ids.

    `views` are the saved views of all people: id, id of the owner, name, query, and whether it is shared.
    """

    by_filter: dict[str, list[tuple[str, str]]] = field(
        default_factory=lambda: {"project": [], "method": [], "country": [], "currency": []}
    )
    projects: dict[str, int] = field(default_factory=dict)
    views: list[tuple[int, int, str, str, bool]] = field(default_factory=list)


def of(merchant: Merchant) -> Choices:
    """The projects, methods, countries, currencies and views of this merchant, at most a minute old.

    Read by one query, however many transactions there are.
    """
    key = _key(merchant.pk)
    if kept := remembered.get(key):
        return Choices(*kept)
    found = _read(merchant)
    if found.by_filter["method"]:  # not while there are none: the first fill is near
        remembered.keep(key, (found.by_filter, found.projects, found.views))
    return found


def forget(merchant_id: int) -> None:
    """Let the next page of this merchant read them anew."""
    remembered.forget(_key(merchant_id))


def _key(merchant_id: int) -> str:
    return f"above-the-list:{merchant_id}"


def _read(merchant: Merchant) -> Choices:
    found = Choices()
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"merchant": merchant.pk})
        for name, value, title, key, owner, shared in cursor.fetchall():
            if name == "view":
                found.views.append((key, owner, value, title, shared))
                continue
            text = countries.names().get(value, value) if name == "country" else title or value
            found.by_filter[name].append((value, text))
            if key:
                found.projects[value] = key
    for offered in found.by_filter.values():
        offered.sort(key=lambda pair: (pair[1].casefold(), pair[0]))
    found.views.sort(key=lambda view: (view[4], view[2].casefold(), view[0]))
    return found
