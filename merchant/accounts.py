"""How allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from merchant import walls
from merchant.models import Membership, User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Signs people in, and gives each request its person together with their memberships."""

    def get_user(self, user_id: int) -> User | None:
        """The person with `own_memberships`, oldest first: one query, since every page needs both."""
        # Every page says how fresh it is; none needs the merchant's secrets.
        mine = (
            Membership.objects.filter(user=user_id)
            .select_related("user", "merchant__sync_state")
            .defer("merchant__api_token", "merchant__refresh_token", "merchant__token_url")
            .order_by("pk")
        )
        with walls.lifted():  # whose rows may be seen is what this finds out, by the person alone
            found = list(mine)
        person: User | None = found[0].user if found else super().get_user(user_id)
        if person is None or not self.user_can_authenticate(person):
            return None
        for membership in found:
            membership.user = person
        person.own_memberships = found
        return person


class ClosedAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves: an owner adds people to the team."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never."""
        return False
