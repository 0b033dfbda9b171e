"""Building HTML that cannot be broken by the texts in it, and the frame of all pages."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from merchant.paysuper.sandbox.answers import Answer
from merchant.paysuper.sandbox.calls import Request
from merchant.paysuper.sandbox.catalogue import CURRENCIES
from merchant.paysuper.sandbox.world import World

_STYLE = (Path(__file__).parent / "style.css").read_bytes()
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – Sandbox PaySuper</title>
<link rel="stylesheet" href="/sandbox/style.css">
</head>
<body>
<header><strong>Sandbox PaySuper</strong>
<nav><a href="/sandbox/checkout/">Checkout</a> <a href="/sandbox/control/">Control</a></nav></header>
<main><h1>{title}</h1>
{body}</main>
</body>
</html>
"""


class Html(str):
    """A text that is markup already and must not be escaped again."""

    __slots__ = ()


NOTHING = Html()


def fill(template: str, **values: object) -> Html:
    """The template with its values; everything that is not markup already is escaped."""
    safe = {name: value if isinstance(value, Html) else escape(str(value)) for name, value in values.items()}
    return Html(template.format(**safe))


def join(parts: Iterable[Html]) -> Html:
    """Pieces of markup behind each other."""
    return Html("\n".join(parts))


def page(title: str, body: Html, *, status: int = 200, form_targets: Iterable[str] = ()) -> Answer:
    """A whole page; its forms go to the sandbox and to the sites of `form_targets` only."""
    targets = " ".join(["'self'", *map(_origin, form_targets)])
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        # Not no-referrer: browsers would then post forms with the origin "null".
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(status, fill(_FRAME, title=title, body=body).encode(), headers)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def redirect(address: str) -> Answer:
    """See other: the browser goes on with GET."""
    return Answer(303, headers={"Location": address, "Cache-Control": "no-store"})


def style(_world: World, _request: Request) -> Answer:
    """The style sheet of all pages."""
    return Answer(200, _STYLE, {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "no-cache"})


def alert(message: str) -> Html:
    """What went wrong, above a form."""
    return fill('<p class="alert" role="alert">{message}</p>', message=message) if message else NOTHING


def code(text: str) -> Html:
    """Something to copy letter by letter."""
    return fill("<code>{text}</code>", text=text)


def field(label: str, name: str, hint: str = "", **attributes: str) -> Html:
    """A labelled text field."""
    more = join(fill('{key}="{value}"', key=key, value=value) for key, value in attributes.items())
    return fill(
        '<label>{label}<input name="{name}" {more}>{hint}</label>',
        label=label,
        name=name,
        more=more,
        hint=fill("<small>{hint}</small>", hint=hint) if hint else NOTHING,
    )


def select(label: str, name: str, choices: Mapping[str, str], chosen: str = "") -> Html:
    """A labelled list of value to text."""
    options = join(
        fill(
            '<option value="{value}"{chosen}>{text}</option>',
            value=value,
            text=text,
            chosen=Html(" selected") if value == chosen else NOTHING,
        )
        for value, text in choices.items()
    )
    return fill(
        '<label>{label}<select name="{name}">{options}</select></label>',
        label=label,
        name=name,
        options=options,
    )


def money(amount: float, currency: str) -> str:
    """An amount with the digits of its currency."""
    return f"{amount:.{CURRENCIES[currency].digits}f} {currency}"


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """A table that scrolls inside itself where the screen is narrow; a sentence when it is empty."""
    if not rows:
        return fill('<p class="quiet">{caption}: none.</p>', caption=caption)
    lines = join(
        fill("<tr>{cells}</tr>", cells=join(fill("<td>{cell}</td>", cell=cell) for cell in row))
        for row in rows
    )
    return fill(
        '<div class="table" tabindex="0" role="region" aria-label="{caption}"><table>'
        "<caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>",
        caption=caption,
        heads=join(fill('<th scope="col">{head}</th>', head=head) for head in heads),
        lines=lines,
    )
