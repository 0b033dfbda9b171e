"""What is wrong with a signature: which secret, which bytes, or which form would have made it right.

Keeps nothing and logs nothing: what is asked about holds customers' data.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils import timezone

from fulfillment.inbox.readings import Reading, readings
from merchant.models import Project

_PREFIX = "Signature "
_EXACT = re.compile(r"Signature [0-9a-f]{64}")
# The word itself ends with a hex digit.
_DIGEST = re.compile(r"(?:(?<=Signature)|(?<![0-9a-fA-F]))[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_LABEL = re.compile(r"authorization\s*:\s*", re.IGNORECASE)
_OTHER_PROJECTS = 100
_LENGTHS = {
    40: "It has 40 digits: the example of PaySuper's manual is a dummy of that length.",
    128: "It has 128 digits, as SHA-512 has: that was another, older protocol.",
}


@dataclass(frozen=True)
class Finding:
    """What was found and what to do about it; `kind` is good, old or bad."""

    title: str
    advice: str = ""
    kind: str = "bad"


@dataclass(frozen=True)
class _Secret:
    value: str
    name: str
    kind: str
    advice: str = ""


def examine(project: Project, body: str, header: str) -> list[Finding]:
    """What the header says about this body, the form of the header first (contract §13.3)."""
    text = _LABEL.sub("", header.strip(), count=1)
    form, found = _form(text), _DIGEST.search(text)
    if not found:
        return form
    digest, secrets = found[0].lower(), list(_secrets(project))
    for reading in readings(body):
        hashed = hashlib.sha256(reading.bytes)
        for secret in secrets:
            if _is(_closed(hashed, secret.value), digest):
                return [*form, *_matched(reading, secret, form_is_right=not form)]
    return [*form, _other_method(body, digest, secrets) or _nothing(project)]


def whose(project: Project, body: bytes, header: str) -> str:
    """Which secret that is not taken has signed these bytes, in words, or ""."""
    digest, hashed = header.removeprefix(_PREFIX), hashlib.sha256(body)
    signers = (each for each in _secrets(project) if _is(_closed(hashed, each.value), digest))
    return next((each.name for each in signers if each.kind == "bad"), "")


def has_form(header: str) -> bool:
    """Whether this is PaySuper's form: the word, one blank, 64 lower-case hex digits."""
    return _EXACT.fullmatch(header) is not None


def _form(text: str) -> list[Finding]:
    if has_form(text):
        return []
    digest = _DIGEST.search(text)
    if not text:
        return [Finding("There is no signature.", "PaySuper sends one in the header Authorization.")]
    if not digest:
        length = _LENGTHS.get(len(text.rsplit(maxsplit=1)[-1]), "64 hex digits were expected.")
        return [Finding("This is no signature of PaySuper.", f"{length} The form is: Signature 9f2c…")]
    before, after = text[: digest.start()], text[digest.end() :]
    if not before.strip():
        title = "The word Signature is missing before the digits."
    elif before.strip() != _PREFIX.strip():
        title = f"The header begins with “{before.strip()[:30]}” instead of Signature."
    elif digest[0] != digest[0].lower():
        title = "The digits are in capitals; PaySuper writes small letters."
    elif after:
        title = "Something follows the 64 digits."
    else:
        title = "One blank belongs between Signature and the digits."
    return [Finding(title, "The form is: the word Signature, one blank, 64 hex digits in small letters.")]


def _matched(reading: Reading, secret: _Secret, *, form_is_right: bool) -> Iterator[Finding]:
    if reading.what:
        yield Finding(f"The bytes were changed: it is right for the body {reading.what}.", reading.advice)
    if secret.kind != "good":
        yield Finding(f"It is signed with {secret.name}.", secret.advice, secret.kind)
    elif reading.what or not form_is_right:
        yield Finding("Apart from that it is right: the secret is this project's current one.", "", "good")
    else:
        advice = "The endpoint takes this body with this header."
        yield Finding("The signature is right.", advice, "good")


def _secrets(project: Project) -> Iterator[_Secret]:
    """What could have signed: the project's secrets, then those of the merchant's other projects."""
    yield _Secret(project.secret_key, "the current secret", "good")
    if project.second_secret:
        until = f"{timezone.localtime(project.previous_secret_until):%d.%m.%Y, %H:%M}"
        yield _Secret(project.previous_secret, "the previous secret", "old", f"It is taken until {until}.")
    else:
        advice = "It is taken no longer. PaySuper may still have it, or this is a late repetition."
        yield _Secret(project.previous_secret, "the previous secret", "bad", advice)
    others = Project.objects.filter(merchant=project.merchant_id).exclude(pk=project.pk)
    for other in others.order_by("pk")[:_OTHER_PROJECTS]:
        advice = "Each project has an address of its own: compare both addresses at PaySuper."
        yield _Secret(other.secret_key, f"the secret of the project “{other.name}”", "bad", advice)
        yield _Secret(other.previous_secret, f"an old secret of the project “{other.name}”", "bad", advice)


def _closed(hashed: "hashlib._Hash", secret: str) -> str:
    """The digest of what is hashed so far and the secret; "" without one, which nothing equals."""
    whole = hashed.copy()
    whole.update(secret.encode())
    return whole.hexdigest() if secret else ""


def _other_method(body: str, digest: str, secrets: list[_Secret]) -> Finding | None:
    """A right secret used in another way than PaySuper's."""
    raw = body.encode(errors="replace")
    methods: dict[str, Callable[[bytes], str]] = {
        "with HMAC-SHA-256": lambda key: hmac.new(key, raw, hashlib.sha256).hexdigest(),
        "with the secret before the body": lambda key: hashlib.sha256(key + raw).hexdigest(),
        "without any secret": lambda _: hashlib.sha256(raw).hexdigest(),
        "with a line end after the secret": lambda key: hashlib.sha256(raw + key + b"\n").hexdigest(),
    }
    for secret in secrets[:2]:
        for how, sign in methods.items():
            if secret.value and _is(sign(secret.value.encode()), digest):
                advice = "PaySuper's is the plain SHA-256 of the body followed by the secret."
                return Finding(f"It was made {how}.", advice)
    return None


def _nothing(project: Project) -> Finding:
    if not project.secret_key:
        return Finding("No secret is known for this project.", "Enter it on the project's page.")
    return Finding(
        "No secret that we know has signed this body.",
        "Either the secret is wrong, or the body was changed so that we cannot undo it: members in another "
        "order, numbers written otherwise (11.9 for 11.90), something cut off. Compare the secret first.",
    )


def _is(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode(errors="replace"))
