"""Renders pieces of a PDF in a process of its own. Run as a file; imports nothing of ours.

Standard input, one JSON text a line: first the stylesheet, then {"html": ..., "path": ...} for each piece.
Standard output: the number of pages of each piece, once its file is written. Ends with its input.
"""

import json
import sys
from typing import Any, NoReturn

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher


class _NoFetcher(URLFetcher):
    """Neither network nor files: whatever a text of a customer managed to ask for is not there."""

    def fetch(self, url: str, headers: Any = None) -> NoReturn:  # noqa: ARG002
        raise ValueError(f"a report loads nothing: {url}")


def main() -> None:
    """Render what is asked for until nobody asks."""
    # Made once: fonts and styles are a third of the time of a small document.
    fonts = FontConfiguration()
    style = CSS(string=json.loads(sys.stdin.readline()), font_config=fonts, url_fetcher=_NoFetcher())
    for line in sys.stdin:
        piece = json.loads(line)
        html = HTML(string=piece["html"], url_fetcher=_NoFetcher())
        document = html.render(stylesheets=[style], font_config=fonts)
        document.write_pdf(piece["path"])
        print(len(document.pages), flush=True)


if __name__ == "__main__":
    main()
