"""Renders pieces of a PDF in a process of its own. Run as a file; imports nothing of ours.

Standard input, one JSON text a line: first the stylesheet, then {"html": ..., "path": ...} for each piece.
Standard output, one JSON text a line for each piece once its file is written: the number of its pages and
the characters that no font of this computer has. Ends with its input.
"""

import gc
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

import weasyprint
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher


class _NoFetcher(URLFetcher):
    """Neither network nor files: whatever a text of a customer managed to ask for is not there."""

    def fetch(self, url: str, headers: Any = None) -> NoReturn:  # noqa: ARG002
        raise ValueError(f"a report loads nothing: {url}")


def _usual_styles() -> CSS:
    """WeasyPrint's own styles without list markers, footnotes and counters, which no report has.

    They are styles of every element and take a fifth of the time of laying out a table.
    """
    styles = Path(weasyprint.__file__).with_name("css") / "html5_ua.css"
    lines = styles.read_text("utf-8").splitlines()
    return CSS(string="\n".join(line for line in lines if not line.startswith(("::", "@counter-style"))))


class _Document(HTML):
    """A document with these styles instead of all of them."""

    _usual = _usual_styles()

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:  # noqa: ARG002
        return [self._usual]


class _Missing(logging.Handler):
    """Hears of characters without a font, which WeasyPrint draws as boxes and warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.characters: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        found = re.search(r"\.notdef glyph .*U\+([0-9A-Fa-f]+)", record.getMessage())
        if found:
            self.characters.add(chr(int(found[1], 16)))

    def told(self) -> str:
        """Those since the last time."""
        told, self.characters = "".join(sorted(self.characters)), set()
        return told


def main() -> None:
    """Render what is asked for until nobody asks."""
    missing = _Missing()
    logging.getLogger("weasyprint").addHandler(missing)
    # Made once: fonts and styles are a third of the time of a small document.
    fonts = FontConfiguration()
    style = CSS(string=json.loads(sys.stdin.readline()), font_config=fonts, url_fetcher=_NoFetcher())
    # The collector would look through the boxes of a piece again and again while they are all in use, for a
    # third of the time.
    gc.disable()
    gc.freeze()
    for line in sys.stdin:
        piece = json.loads(line)
        html = _Document(string=piece["html"], url_fetcher=_NoFetcher())
        document = html.render(stylesheets=[style], font_config=fonts)
        # Version 1.4 keeps its objects apart, which `pdf_join` relies on.
        document.write_pdf(piece["path"], pdf_tags=True, pdf_version="1.4")
        print(json.dumps({"pages": len(document.pages), "missing": missing.told()}), flush=True)
        del document
        gc.collect()


if __name__ == "__main__":
    main()
