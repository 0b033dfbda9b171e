"""Words to type before something that cannot be taken back."""

from typing import Any

from django import forms


class ConfirmedForm(forms.Form):
    """The words that confirm what is asked for."""

    typed = forms.CharField(
        max_length=50, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, phrase: str, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.phrase = phrase
        self.fields["typed"].label = f"Type {phrase} to confirm"

    def clean_typed(self) -> str:
        """Case and spaces are no matter of meaning; a number is."""
        typed = "".join(self.cleaned_data["typed"].split()).upper()
        if typed != "".join(self.phrase.split()):
            raise forms.ValidationError(f"Type {self.phrase} exactly. Nothing was changed.")
        return typed
