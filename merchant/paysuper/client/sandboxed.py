"""What only the sandbox PaySuper can do (docs/sandbox.md)."""

from collections.abc import Mapping
from uuid import UUID

from merchant.paysuper import values
from merchant.paysuper.client.api import Client
from merchant.paysuper.errors import NoAnswer, NotAllowed, NotFound, Refused, Unexpected


class SandboxClient(Client):
    """A line to what may be a sandbox. Ask `is_sandbox` before anything else."""

    def is_sandbox(self) -> bool:
        """Whether a sandbox answers here. Raises NotSent and NoAnswer when nobody knows."""
        try:
            facts = self._calls.read("/sandbox/")
        except (NotFound, NotAllowed, Refused, Unexpected):
            return False
        return isinstance(facts, Mapping) and {"generation", "projects", "merchants"} <= facts.keys()

    def make_payment(self, wish: Mapping[str, object]) -> UUID:
        """Have a payment made; `wish` is the body of POST /sandbox/payments. Gives the order's id.

        Raises Refused with the reason, and NoAnswer when nobody knows whether the order exists.
        """
        answer = self._calls.write("/sandbox/payments", wish)
        uuid = values.uuid_of(answer.get("uuid")) if isinstance(answer, Mapping) else None
        if uuid is None:
            raise NoAnswer("the payment was accepted with an unreadable answer")
        return uuid
