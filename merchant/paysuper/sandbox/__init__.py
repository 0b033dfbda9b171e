"""A PaySuper to try and test against: its own process, its own state, HTTP only (contract §21)."""

from merchant.paysuper.sandbox.running import Options, Sandbox

__all__ = ["Options", "Sandbox"]
