"""Who works for a merchant, and for whom a token speaks, as records (contract §12)."""

from dataclasses import dataclass

from merchant.paysuper.errors import Unexpected
from merchant.paysuper.values import object_of, text_of


@dataclass(frozen=True)
class UserRecord:
    """Somebody who works for the merchant. `user_id` is the `creator_id` of refunds; roles as in §4."""

    user_id: str
    name: str
    email: str
    role: str


@dataclass(frozen=True)
class MerchantRecord:
    """A merchant of the token, with the token's role there (§4). PaySuper always works for the first."""

    id: str
    name: str
    role: str


def user(document: object) -> UserRecord:
    """Read a user; one who was invited and never came has no `user_id` yet."""
    source = object_of(document)
    return UserRecord(
        user_id=text_of(source, "user_id"),
        name=f"{text_of(source, 'first_name')} {text_of(source, 'last_name')}".strip(),
        email=text_of(source, "email"),
        role=text_of(source, "role"),
    )


def merchant(document: object) -> MerchantRecord:
    """Read a merchant. Raises Unexpected when it has no id."""
    source = object_of(document)
    if not text_of(source, "id"):
        raise Unexpected("a merchant without id")
    return MerchantRecord(
        id=text_of(source, "id"), name=text_of(source, "name"), role=text_of(source, "role")
    )
