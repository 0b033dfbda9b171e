"""The form of a schedule."""

import calendar
import datetime as dt
from dataclasses import asdict, replace
from typing import Any

from django import forms
from django.http import QueryDict

from merchant.access import Right, may
from merchant.models import Membership
from transactions import periods, recipes, saving
from transactions.exports import Layout
from transactions.filters import TransactionFilter
from transactions.models import Export, Schedule
from transactions.models.saved import LONGEST_NAME, LONGEST_QUERY
from transactions.rhythm import Rhythm
from transactions.scheduling import people

_AS_IT_IS, _EVERYTHING = "", "all"
_RECIPE = "recipe:"
_OF_PERIOD = ("period", "from", "to")
_MORNING = dt.time(6)


class ScheduleForm(forms.Form):
    """What is sent, when and to whom; of a known schedule what it is by now.

    `query` is a query of the list that the person came with. `values` are those of a schedule, once valid.
    """

    query = forms.CharField(required=False, max_length=LONGEST_QUERY, widget=forms.HiddenInput)
    name = forms.CharField(max_length=LONGEST_NAME)
    rows = forms.ChoiceField(required=False, label="Rows")
    period = forms.ChoiceField(
        required=False,
        help_text="As it is when the file is due: sent on 1 May, “Last month” is April.",
        choices=[(_AS_IT_IS, "As these filters say"), *periods.PRESETS.items(), ("any", "Any time")],
    )
    file = forms.ChoiceField(required=False)
    dialect = forms.ChoiceField(label="A CSV with", choices=list(recipes.DIALECTS_IN_WORDS.items()))
    every = forms.ChoiceField(label="How often", choices=Schedule.Every.choices)
    weekday = forms.TypedChoiceField(
        label="Every week on", coerce=int, choices=list(enumerate(calendar.day_name))
    )
    day = forms.IntegerField(
        label="Every month on day",
        min_value=1,
        max_value=31,
        help_text="A shorter month has its last day instead: 31 is always the last.",
    )
    at = forms.TimeField(
        label="At", input_formats=["%H:%M", "%H:%M:%S"], widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    business_days = forms.BooleanField(
        required=False,
        label="On business days only, Monday to Friday. Holidays are not known.",
    )
    recipients = forms.TypedMultipleChoiceField(
        label="Send to",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one colleague."},
    )

    def __init__(
        self,
        membership: Membership,
        data: QueryDict | None = None,
        *,
        schedule: Schedule | None = None,
        query: str = "",
    ) -> None:
        super().__init__(data, initial=_initial(membership, schedule, query))
        self.membership, self.schedule = membership, schedule
        self.values: dict[str, Any] = {}
        given = str(self["query"].value() or "")
        self.views = {str(view.pk): view for view in saving.visible_to(membership)}
        rows, file = self.fields["rows"], self.fields["file"]
        rows.choices = [  # type: ignore[attr-defined]
            *([(_AS_IT_IS, in_words(membership, given))] if given else []),
            (_EVERYTHING, "All transactions"),
            *((pk, f"The view “{view.name}”") for pk, view in self.views.items()),
        ]
        file.choices = [  # type: ignore[attr-defined]
            *([(_AS_IT_IS, f"As it is: {_layout_in_words(schedule)}")] if schedule else []),
            *((each.value, f"{each.label}, all columns") for each in Export.Format),
            *(
                (f"{_RECIPE}{each.name}", f"{each.format_label}: {each.name}")
                for each in recipes.kept_by(membership)
            ),
        ]
        self.fields["recipients"].choices = [  # type: ignore[attr-defined]
            (each.user_id, f"{each.user} ({each.get_role_display()}{_note(each)})")
            for each in people.colleagues(membership.merchant)
        ]

    def clean_name(self) -> str:
        """Fit for the subject of a mail."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name.isprintable():
            raise forms.ValidationError("Give it a name without special signs.")
        return name

    def clean(self) -> dict[str, Any]:
        """Filters must make sense now, and the file must be one that is on offer."""
        values = super().clean() or {}
        if self.errors:
            return values
        query = self._query(values)
        if not TransactionFilter.of(self.membership, query).is_valid():
            raise forms.ValidationError("These filters make no sense: correct them in the list first.")
        kept = saving.comparable(query)
        if len(kept) > LONGEST_QUERY:
            raise forms.ValidationError("These are too many filters.")
        try:
            wanted, layout = self._file(values)
        except recipes.NotChosen as error:
            raise forms.ValidationError(str(error)) from error
        at = values["at"].replace(second=0, microsecond=0)
        rhythm = Rhythm(values["every"], at, values["weekday"], values["day"], values["business_days"])
        self.values = {"name": values["name"], "query": kept, "format": wanted, "layout": asdict(layout)}
        self.values |= asdict(rhythm)
        return values

    def _query(self, values: dict[str, Any]) -> QueryDict:
        given = {_AS_IT_IS: values["query"], _EVERYTHING: ""}
        chosen = given[values["rows"]] if values["rows"] in given else self.views[values["rows"]].query
        query = QueryDict(chosen, mutable=True)
        if values["period"] != _AS_IT_IS:
            for name in _OF_PERIOD:
                query.pop(name, None)
            if values["period"] in periods.PRESETS:
                query["period"] = values["period"]
        return query

    def _file(self, values: dict[str, Any]) -> tuple[str, Layout]:
        if values["file"] == _AS_IT_IS and self.schedule:
            delimiter, decimal = recipes.DIALECTS[values["dialect"]]
            kept = layout_of(self.schedule)
            return self.schedule.format, replace(kept, delimiter=delimiter, decimal=decimal)
        if values["file"].startswith(_RECIPE):
            return recipes.chosen(self.membership, {"recipe": values["file"].removeprefix(_RECIPE)})
        return recipes.chosen(self.membership, {"format": values["file"], "dialect": values["dialect"]})


def layout_of(schedule: Schedule) -> Layout:
    """The columns and the dialect of the schedule's files."""
    return Layout(**schedule.layout | {"columns": tuple(schedule.layout.get("columns", ()))})


def _initial(membership: Membership, schedule: Schedule | None, query: str) -> dict[str, Any]:
    if schedule is None:
        dialect = recipes.last_choice(membership.list_preferences).dialect
        rhythm = Rhythm(Schedule.Every.MONTHLY, _MORNING, day=1)
        start = {"query": query, "dialect": dialect, "recipients": [membership.user_id]}
        return {**start, **asdict(rhythm), "file": Export.Format.CSV}
    layout = layout_of(schedule)
    signs = {signs: name for name, signs in recipes.DIALECTS.items()}
    known = {"name": schedule.name, "query": schedule.query, **asdict(schedule.rhythm)}
    known["dialect"] = signs.get((layout.delimiter, layout.decimal), "comma-point")
    known["recipients"] = list(schedule.recipients.values_list("user_id", flat=True))
    return known


def in_words(membership: Membership, query: str) -> str:
    """What a query of the list finds, without days: those depend on when it is asked."""
    filters = TransactionFilter.of(membership, QueryDict(query))
    chips = [f"{chip.label}: {chip.text}" for chip in filters.chips()] if filters.is_valid() else [query]
    return " · ".join(chips) or "All transactions"


def _layout_in_words(schedule: Schedule) -> str:
    number = len(layout_of(schedule).columns)
    return f"{schedule.get_format_display()}, {f'{number} columns' if number else 'all columns'}"


def _note(membership: Membership) -> str:
    return "" if may(membership, Right.PERSONAL) else ", sees no personal data"
