"""Passkeys: what a browser sends of them may be anything, and is then no passkey."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms

# What the libraries raise when parts are missing, or are of another kind than they expect.
_UNREADABLE = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError)


class CredentialField(forms.JSONField):
    """What a browser answers. A thousand boxes in each other are no answer."""

    def to_python(self, value: Any) -> Any:
        """Raise ValidationError for what cannot be read."""
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise get_adapter().validation_error("incorrect_code") from error


def _credential() -> CredentialField:
    return CredentialField(widget=forms.HiddenInput)


class AddForm(AddWebAuthnForm):  # type: ignore[misc]
    """Adding a passkey."""

    credential = _credential()

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

    credential = _credential()


class SecondFactorForm(_Readable, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey after the password."""

    credential = _credential()


class AgainForm(_Readable, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey in place of the password that is asked for once more."""

    credential = _credential()
