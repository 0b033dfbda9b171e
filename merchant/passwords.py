"""What is no password: the ones that everybody tries first, also in disguise."""

import itertools
import re

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

_DISGUISE = str.maketrans("0134578@$!|", "oleastbasil")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertz",
    "azerty",
)
_SHORTEST_RUN, _LEAST_LETTERS = 4, 5


class DisguisedPasswordValidator(CommonPasswordValidator):
    """Refuses what is left of a common password (20,000 of them, breached often) in a longer one.

    "Password2026!" is "password" to whoever guesses, and so are "p4ssw0rd" and "passwordpassword".
    """

    def validate(self, password: str, user: object = None) -> None:  # noqa: ARG002
        """Raise ValidationError for such a password."""
        plain = password.lower()
        bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
        seen = {each for text in (plain, bare) for each in (text, text.translate(_DISGUISE))}
        if any(self._is_weak(each) for each in seen):
            raise ValidationError(
                "This password is among those that are tried first. Take a few words that nobody would "
                "expect together.",
                code="password_too_common",
            )

    def get_help_text(self) -> str:
        """What the form says."""
        return "No common password in disguise, such as “Password2026!”: a few unexpected words are better."

    def _is_weak(self, password: str) -> bool:
        once = _repeated(password)
        return (
            bool({password, once} & self.passwords)
            or bool(once and len(once) <= _LEAST_LETTERS)
            or len(set(password)) < _LEAST_LETTERS
            or len(_without_runs(password)) < _LEAST_LETTERS
        )


def _repeated(password: str) -> str:
    """What a password repeats from end to end, else ""."""
    found = re.fullmatch(r"(.+?)\1+", password)
    return found[1] if found else ""


def _without_runs(password: str) -> str:
    """The password without what lies in a row on a keyboard or in the alphabet, forwards or backwards."""
    runs = {
        row[start:end]
        for each in _ROWS
        for row in (each, each[::-1])
        for start, end in itertools.combinations(range(len(row) + 1), 2)
        if end - start >= _SHORTEST_RUN
    }
    for run in sorted(runs, key=len, reverse=True):
        password = password.replace(run, "")
    return password
