"""Mails with activation keys, and what their platforms ask of the customer.

Keys are money. In what is stored and shown they stand as marks; the real ones are put in as the mail leaves.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string

from fulfillment.receipts.frame import Frame, around
from fulfillment.receipts.languages import Language
from fulfillment.receipts.letters import Letter
from fulfillment.receipts.platforms import platform, steps
from merchant.envelope import one_line
from transactions.models import Transaction

# Signs that nobody types: of an area that Unicode leaves to programs.
MARK = "\ue000{}\ue001"
_MARKS = re.compile("\ue000([0-9]+)\ue001")
_HIDDEN = "••••••"
_ANOTHER = "This key takes the place of the one that you had before."


@dataclass(frozen=True)
class KeyMail(Frame):
    """What stands in the mail with the keys of one platform; each key with its product."""

    keys: tuple[tuple[str, str], ...]
    how: str
    steps: tuple[str, ...]
    warning: str


def key_letter(
    order: Transaction,
    platform_id: str,
    products: Sequence[str],
    language: Language,
    *,
    is_another: bool = False,
) -> Letter:
    """The mail for the keys of these products on one platform; the keys themselves are marks, from 0 on.

    `is_another` says that they take the place of keys that the customer had.
    """
    say, name, common = language.say, platform(platform_id).name, around(order, language)
    mail = KeyMail(
        **common,
        title=say("Your key for {platform}", platform=name),
        subject=say("Your {platform} key from {shop}", platform=name, shop=common["shop"]),
        greeting=say(_ANOTHER if is_another else "Thank you for your purchase."),
        keys=tuple((product, MARK.format(number)) for number, product in enumerate(products)),
        how=say("How to activate it"),
        steps=tuple(steps(platform_id, language)),
        warning=say("Keep the key to yourself: it works only once."),
    )
    page = render_to_string("fulfillment/mails/key.html", {"mail": mail})
    return Letter(one_line(mail.subject), _text(mail), page)


def with_keys(letter: Letter, keys: Sequence[str]) -> Letter:
    """The letter as the customer gets it."""

    def key(match: re.Match[str]) -> str:
        number = int(match[1])
        return keys[number] if number < len(keys) else ""

    return Letter(
        letter.subject,
        _MARKS.sub(key, letter.text),
        _MARKS.sub(lambda match: html.escape(key(match)), letter.html),
    )


def masked(text: str) -> str:
    """A stored text as people may see it."""
    return _MARKS.sub(_HIDDEN, text)


def _text(mail: KeyMail) -> str:
    parts = [
        f"{mail.shop}\n{mail.title}",
        mail.note,
        mail.greeting,
        "\n".join(f"{one_line(product)}: {key}" for product, key in mail.keys),
        "\n".join([mail.how, *(f"{number}. {step}" for number, step in enumerate(mail.steps, 1))]),
        mail.warning,
        mail.support,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"
