"""Forms about people."""

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password

from merchant.envelope import check_address, one_line
from merchant.models import Role, User

_LONGEST_NAME = 100


class InvitationForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.SUPPORT)

    def clean_email(self) -> str:
        """In lower case: people are known by that."""
        email: str = self.cleaned_data["email"].lower()
        check_address(email)
        return email


class RoleForm(forms.Form):
    """What somebody is from now on."""

    role = forms.ChoiceField(label="Role", choices=Role.choices)


class SecondFactorForm(forms.Form):
    """Who signs in with a second factor."""

    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class JoiningForm(forms.Form):
    """What a new person tells about themselves. The address is known from the invitation."""

    name = forms.CharField(
        label="Your name",
        max_length=_LONGEST_NAME,
        required=False,
        help_text="How colleagues see you. Without one they see your e-mail address.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text=" ".join(password_validators_help_texts()),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Password, once more",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: object, email: str, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.email = email

    def clean_name(self) -> str:
        """Fit for the mails that are written in this person's name."""
        return one_line(self.cleaned_data["name"])

    def clean(self) -> None:
        """Both passwords are the same and good."""
        given, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if given and again and given != again:
            self.add_error("again", "This is not the same password.")
        elif given:
            try:
                validate_password(given, self._person())
            except forms.ValidationError as error:
                self.add_error("password", error)

    def _person(self) -> User:
        return User(email=self.email, first_name=self.cleaned_data.get("name", ""))

    def save(self) -> User:
        """The new person. Raises IntegrityError when the address got an account in the meantime."""
        return User.objects.create_user(
            self.email, self.cleaned_data["password"], first_name=self.cleaned_data["name"]
        )
