"""The forms of all pages: where each leads, by which method, and what it would send as it stands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit


@dataclass
class Form:
    """One form; of each field all values that it offers, what it would send first."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)

    def offer(self, name: str, value: str, *, first: bool = False) -> None:
        """Note a value."""
        known = self.values.setdefault(name, [])
        if value not in known:
            known.insert(0 if first else len(known), value)


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._path, self._select = path, ""
        # Fields may stand outside of the form that their attribute names.
        self._by_id: dict[str, Form] = {}
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            action = urlsplit(found.get("action", "")).path or self._path
            self._open = Form(action, found.get("method", "get").upper())
            self.forms.append(self._open)
            self._by_id[found.get("id", "")] = self._open
        form = self._by_id.get(found["form"]) if "form" in found else self._open
        if form is None:
            return
        if tag == "option" and self._select:
            form.offer(self._select, found.get("value", ""), first="selected" in found)
        elif tag == "select":
            self._select = found.get("name", "")
        elif tag in ("input", "button", "textarea") and (name := found.get("name")):
            form.offer(name, found.get("value", ""), first="checked" in found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""


def forms_of(pages: Iterable[tuple[str, str]]) -> list[Form]:
    """The forms of these pages, each a path and its HTML."""
    found: list[Form] = []
    for path, html in pages:
        reader = _Reader(path)
        reader.feed(html)
        found += reader.forms
    return found
