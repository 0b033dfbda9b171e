"""The commands that the documents tell people to type."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# What the changelog tells is past.
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "CHANGELOG.md"})
PROGRAMS = (
    "manage.py make docker systemctl curl printf python python3 git pip celery gunicorn SCALE=full "
    ".venv/bin/pre-commit".split()
)
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^(?: {4}|\t)\S.*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`([^`]+)`")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def commands(page: Path) -> list[str]:
    """Every command of a page in its order: of its blocks, and those in its sentences that have arguments.

    Raises AssertionError for a block of commands with a line that begins with no program known here.
    """
    text, prose = page.read_text(), _prose(page)
    blocks = [(each.start(), each[1], each[2]) for each in _FENCED.finditer(text)]
    blocks += [(each.start(), "", each[0]) for each in _INDENTED.finditer(prose)]
    found = [(place, line) for place, language, block in blocks for line in _lines(language, block)]
    spans = [(each.start(), " ".join(each[1].split())) for each in _INLINE.finditer(prose)]
    found += [(place, line) for place, line in spans if _is_command(line) and " " in line]
    return [line for _, line in sorted(found, key=lambda each: each[0])]


def options(page: Path) -> set[str]:
    """The options that a page's sentences and tables name."""
    return {name for span in _INLINE.findall(_prose(page)) for name in _OPTION.findall(span)}


def words(command: str) -> list[str]:
    """A command's words, those that may be left out too, without the brackets around them."""
    return shlex.split(re.sub(r"\[(--[^]]+)\]", r"\1", command))


def _prose(page: Path) -> str:
    """A page with blanks in the place of its blocks."""
    return _FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), page.read_text())


def _lines(language: str, block: str) -> Iterator[str]:
    lines = [line.strip() for line in re.sub(r"\\\n\s*", "", block).splitlines() if line.strip()]
    if language not in ("", "sh") or not any(map(_is_command, lines)):
        return
    for line in lines:
        assert _is_command(line), f"no known command: {line}"
        yield line


def _is_command(line: str) -> bool:
    return line.split(" ", maxsplit=1)[0] in PROGRAMS
