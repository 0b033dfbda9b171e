"""Passkeys: what a browser sends of them may be anything, and is then no passkey."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)

# What the libraries raise when parts are missing, or are of another kind than they expect.
_UNREADABLE = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError)


class AddForm(AddWebAuthnForm):  # type: ignore[misc]
    """Adding a passkey."""

    def clean(self) -> Any:
        """Raise ValidationError for what cannot be read."""
        try:
            return super().clean()
        except _UNREADABLE as error:
            raise get_adapter().validation_error("incorrect_code") from error


class _Readable:
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _UNREADABLE as error:
            raise get_adapter().validation_error("incorrect_code") from error


class SignInForm(_Readable, LoginWebAuthnForm):  # type: ignore[misc]
    """Signing in with a passkey alone."""


class SecondFactorForm(_Readable, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey after the password."""


class AgainForm(_Readable, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey in place of the password that is asked for once more."""
