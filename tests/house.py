"""The rules of the house that no linter knows: sizes, code that nobody calls, code that stands there twice.

`python -m tests.house` prints what breaks them and ends with 1.
"""

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parents[1]
PACKAGES = ("merchant", "transactions", "fulfillment")
# A screen or two of code; a screen of a function.
MODULE, FUNCTION, TEST_MODULE, TEST_FUNCTION = 250, 45, 400, 55
LONGER = {
    "merchant/settings.py": "one list, read from top to bottom",
    "tests/test_access.py": "one fixture with one of everything that a merchant has",
}
TWIN = 6
# Called by what calls us: Django, allauth, Celery, WeasyPrint, the standard library.
CALLED = re.compile(
    r"add_arguments|clean_\w+|Meta|get_by_natural_key|from_db_value|get_help_text|receive_data_chunk|file_complete"
    r"|log_message|is_open_for_signup|is_reauthentication_required|format_email_subject|authentication_failed"
    r"|generate_authenticator_name|connection_class|fetch|_authenticate_by_email|_get_session_auth_hash|_ua_stylesheets"
    r"|MerchantConfig|format_request|process_view|db_for_\w+|allow_relation|allow_migrate"
    # The line to PaySuper has every reading call of its catalogue; tests start with a broker that is trusted.
    r"|key_products|trust_the_broker"
)
DECORATED = ["@register*", "@signals*", "@receiver*", "@shared_task*"]
_WORD = re.compile(r"\w+")


def main() -> int:
    """Look at everything and say what is not as it should be."""
    found = [*sizes(), *twins(), *dead()]
    print("\n".join(found))
    return 1 if found else 0


def sources(*folders: str) -> list[Path]:
    """The modules in these folders, without migrations."""
    found = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return [file for file in sorted(found) if "migrations" not in file.parts]


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, methods too."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def sizes() -> Iterator[str]:
    """Modules and functions that are too long."""
    for module in sources(*PACKAGES, "tests"):
        name = str(module.relative_to(ROOT))
        is_test = name.startswith("tests/")
        most, longest = (TEST_MODULE, TEST_FUNCTION) if is_test else (MODULE, FUNCTION)
        if name in LONGER:
            continue
        if (lines := len(module.read_text().splitlines())) > most:
            yield f"{name}: {lines} lines, at most {most}: make a package of it"
        for each in functions(module):
            if (lines := (each.end_lineno or 0) - each.lineno + 1) > longest:
                yield f"{name}: {each.name} has {lines} lines, at most {longest}"


def twins() -> Iterator[str]:
    """Functions with the same body."""
    bodies = defaultdict(list)
    for module in sources(*PACKAGES):
        for each in functions(module):
            body = each.body[1:] if ast.get_docstring(each) else each.body
            if body and (each.end_lineno or 0) - body[0].lineno + 1 >= TWIN:
                place = f"{module.relative_to(ROOT)}: {each.name}"
                bodies["".join(map(ast.dump, body))].append(place)
    yield from (f"the same twice: {', '.join(places)}" for places in bodies.values() if len(places) > 1)


def dead() -> Iterator[str]:
    """Names that nothing mentions but where they are made: no code, template, setting or string."""
    written = [
        *sources(*PACKAGES),
        ROOT / "manage.py",
        *(ROOT / "templates").rglob("*.*"),
        *(ROOT / "static" / "js").glob("*.js"),
    ]
    mentioned = Counter(word for file in written for word in _WORD.findall(file.read_text()))
    scan = Vulture(ignore_decorators=DECORATED)
    scan.scavenge([str(ROOT / package) for package in PACKAGES], exclude=["*/migrations/*"])
    for item in scan.get_unused_code(min_confidence=60):
        is_mentioned = mentioned[item.name] > 1 or CALLED.fullmatch(item.name)
        if item.typ not in {"variable", "attribute"} and not is_mentioned:
            place = Path(item.filename).relative_to(ROOT)
            yield f"{place}:{item.first_lineno}: nobody calls {item.name}"


if __name__ == "__main__":
    sys.exit(main())
