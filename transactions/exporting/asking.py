"""Exports are asked for, canceled and asked for again; a state changes only from the one that is expected."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from merchant import audit
from merchant.access import Right, may
from merchant.models import Membership
from transactions import exports
from transactions.models import Export

_UNDER_WAY = (Export.State.WAITING, Export.State.RUNNING)
_WITHOUT_FILE = (Export.State.FAILED, Export.State.CANCELED, Export.State.EXPIRED)


def ask(
    membership: Membership, wanted: str, query: str, selected: Sequence[UUID], layout: exports.Layout
) -> Export:
    """A waiting export of the list with this query, or of the selected rows, in a known format."""
    with transaction.atomic():
        export = Export.objects.create(
            merchant=membership.merchant,
            requested_by=membership.user,
            format=wanted,
            query=query,
            selection=selected,
            layout=asdict(layout),
            personal=may(membership, Right.PERSONAL),
        )
        said = {"query": query} | ({"selected": len(selected)} if selected else {})
        audit.record(membership.merchant, membership.user, "export.requested", export.pk, **said)
    return export


def cancel(export: Export, membership: Membership) -> bool:
    """Stop an export that is not finished; its worker notices soon. False if it was finished before."""
    changes = {"state": Export.State.CANCELED, "finished_at": timezone.now()}
    return _changed(export, membership, _UNDER_WAY, changes, "export.canceled")


def again(export: Export, membership: Membership) -> bool:
    """Have an export made that has no file: of one that had one, the same file or none.

    False if there is a file or one is being made.
    """
    changes = {"state": Export.State.WAITING, "error": "", "attempts": 0, "finished_at": None}
    return _changed(export, membership, _WITHOUT_FILE, changes, "export.asked_again")


def layout_of(export: Export) -> exports.Layout:
    """The columns and the dialect that the export was asked for with."""
    kept = export.layout
    return exports.Layout(**kept | {"columns": tuple(kept.get("columns", ()))})


def exactly(export: Export) -> str:
    """What was asked for, in one line that is the same for the same question, for the control code."""
    return json.dumps(
        [
            export.merchant.paysuper_id,
            export.query,
            sorted(map(str, export.selection)),
            export.personal,
            list(layout_of(export).columns),
        ]
    )


def _changed(
    export: Export,
    membership: Membership,
    states: Sequence[str],
    changes: dict[str, object],
    event: str,
) -> bool:
    with transaction.atomic():
        changed = Export.objects.filter(pk=export.pk, state__in=states).update(**changes)
        if changed:
            audit.record(export.merchant, membership.user, event, export.pk)
    return bool(changed)
