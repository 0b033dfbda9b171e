"""How a person wants exports: what was chosen last, and recipes under a name. Kept with the membership."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from merchant.models import Membership
from transactions import preferences
from transactions.exports import Layout, columns
from transactions.models import Export

MOST, LONGEST_NAME = 20, 60
PAGE, ALL = "page", "all"
# What stands between the values of a CSV, and the mark of its decimals.
DIALECTS = {
    "comma-point": (",", "."),
    "comma-comma": (",", ","),
    "semicolon-comma": (";", ","),
    "semicolon-point": (";", "."),
    "tab-point": ("\t", "."),
    "tab-comma": ("\t", ","),
}
DIALECTS_IN_WORDS = {
    "comma-point": "Commas between values, 12.50",
    "comma-comma": "Commas between values, 12,50",
    "semicolon-comma": "Semicolons between values, 12,50",
    "semicolon-point": "Semicolons between values, 12.50",
    "tab-point": "Tabs between values, 12.50",
    "tab-comma": "Tabs between values, 12,50",
}
COLUMNS = {column.key: column.title for column in columns.titled("local time")}
# The columns of an export that say what a column of the list says.
_OF_PAGE = {
    "date": ("local", "utc"),
    "id": ("transaction",),
    "amount": ("charge", "charge_currency"),
    "currency": ("charge_currency",),
    "mode": ("test",),
}
_CHOICE, _RECIPES = "export", "recipes"


class NotChosen(ValueError):
    """Nothing can be made of what was posted; the message is for the person."""


@dataclass(frozen=True)
class Choice:
    """What was chosen last: PAGE or ALL columns, and a key of DIALECTS."""

    columns: str = ALL
    dialect: str = "comma-point"


@dataclass(frozen=True)
class Recipe:
    """Columns by their keys in their order, a format, and for CSV a dialect, under a name."""

    name: str
    columns: tuple[str, ...]
    format: str = Export.Format.CSV
    dialect: str = "comma-point"
    bom: bool = True

    @property
    def format_label(self) -> str:
        """The format as people know it."""
        return str(Export.Format(self.format).label)

    @property
    def layout(self) -> Layout:
        """What the writers need."""
        return _layout(self.columns, self.dialect, bom=self.bom)


def last_choice(wanted: Mapping[str, Any]) -> Choice:
    """What the person chose last, out of the membership's preferences."""
    kept = wanted.get(_CHOICE, {})
    choice = Choice()
    if kept.get("columns") in (PAGE, ALL):
        choice = replace(choice, columns=kept["columns"])
    if kept.get("dialect") in DIALECTS:
        choice = replace(choice, dialect=kept["dialect"])
    return choice


def kept_by(membership: Membership) -> Sequence[Recipe]:
    """The person's recipes by name. What is not known any more is left out."""
    found = []
    for kept in membership.list_preferences.get(_RECIPES, []):
        recipe = Recipe(**kept | {"columns": tuple(key for key in kept["columns"] if key in COLUMNS)})
        if recipe.columns and recipe.dialect in DIALECTS and recipe.format in Export.Format.values:
            found.append(recipe)
    return sorted(found, key=lambda recipe: recipe.name.casefold())


def chosen(membership: Membership, posted: Mapping[str, str]) -> tuple[str, Layout]:
    """Format and layout of a posted `recipe`, or of `format`, `columns` and `dialect`, which are remembered.

    Without `columns` all of them are meant. Raises NotChosen.
    """
    if posted.get("recipe"):
        named = {recipe.name: recipe for recipe in kept_by(membership)}
        if posted["recipe"] not in named:
            raise NotChosen("This recipe is not there any more. Choose another one.")
        recipe = named[posted["recipe"]]
        return recipe.format, recipe.layout
    wanted = posted.get("format", "")
    if wanted not in Export.Format.values:
        raise NotChosen("Choose a format for the file.")
    choice = Choice(posted.get("columns", ALL), posted.get("dialect", "comma-point"))
    if choice.columns not in (PAGE, ALL) or choice.dialect not in DIALECTS:
        raise NotChosen("Choose the columns and the kind of CSV from those on offer.")
    if posted.get("columns") and choice != last_choice(membership.list_preferences):
        preferences.keep(membership, {_CHOICE: asdict(choice)})
    keys = of_page(preferences.of(membership).columns) if choice.columns == PAGE else ()
    return wanted, _layout(keys, choice.dialect)


def of_page(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of an export that say what these columns of the list say, in their order."""
    return tuple(dict.fromkeys(key for name in names for key in _OF_PAGE.get(name, (name,))))


def save(membership: Membership, posted: Mapping[str, str]) -> Recipe:
    """Keep a recipe, in place of one of the same name. A column's place is posted as `place-<key>`.

    Raises NotChosen.
    """
    name = " ".join(posted.get("name", "").split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise NotChosen(f"Give the recipe a name of up to {LONGEST_NAME} characters.")
    recipe = Recipe(
        name,
        _placed(posted),
        posted.get("format", ""),
        posted.get("dialect", "comma-point"),
        bom="bom" in posted,
    )
    if recipe.format not in Export.Format.values or recipe.dialect not in DIALECTS:
        raise NotChosen("Choose the format and the kind of CSV from those on offer.")
    others = [each for each in kept_by(membership) if each.name != name]
    if len(others) >= MOST:
        raise NotChosen(f"You have {MOST} recipes: delete one that you do not use any more.")
    _keep(membership, [*others, recipe])
    return recipe


def delete(membership: Membership, name: str) -> None:
    """Forget the recipe of this name, if there is one."""
    _keep(membership, [each for each in kept_by(membership) if each.name != name])


def _placed(posted: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that have a place, by it; of two in one place the usual first stays first."""
    places = {}
    for key in COLUMNS:
        place = posted.get(f"place-{key}", "").strip()
        if not place:
            continue
        if not (place.isascii() and place.isdigit() and len(place) <= 3):  # noqa: PLR2004 - digits
            raise NotChosen("The place of a column is a whole number, such as 1 for the first.")
        places[key] = int(place)
    if not places:
        raise NotChosen("Give at least one column a place.")
    return tuple(sorted(places, key=lambda key: places[key]))


def _layout(keys: Sequence[str], dialect: str, *, bom: bool = True) -> Layout:
    delimiter, decimal = DIALECTS[dialect]
    return Layout(tuple(keys), delimiter, decimal, bom)


def _keep(membership: Membership, recipes: Sequence[Recipe]) -> None:
    preferences.keep(membership, {_RECIPES: [asdict(recipe) for recipe in recipes]})
