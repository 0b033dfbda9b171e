"""What the product's form renderer writes is what Django's own templates write."""

from html.parser import HTMLParser

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting

from merchant.rendering import FormRenderer

HOSTILE = "\"><script>alert('1')</script>&amp;"
CHOICES = [("", "Any"), ("a", "A & B"), (HOSTILE, HOSTILE), ("Group", [("b", "B"), (3, "Three")])]


class Reader(HTMLParser):
    """What a browser understands: tags with their attributes, and texts without outer blanks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, sorted(attrs, key=str)))

    def handle_endtag(self, tag):
        self.seen.append(tag)

    def handle_data(self, data):
        if data.strip():
            self.seen.append(data.strip())


@pytest.mark.parametrize("value", [None, "", "a", HOSTILE, 3, "none of them"], ids=repr)
@pytest.mark.parametrize(
    "widget",
    [
        forms.TextInput(attrs={"maxlength": 5, "required": True, "hidden": False, "title": HOSTILE}),
        forms.NumberInput(attrs={"step": "any"}),
        forms.EmailInput(),
        forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        forms.Select(choices=CHOICES, attrs={"class": "wide", "disabled": True}),
        forms.SelectMultiple(choices=CHOICES),
    ],
    ids=lambda widget: type(widget).__name__,
)
def test_a_widget_is_what_django_writes(widget: forms.Widget, value: object) -> None:
    ours, theirs = (
        widget.render(HOSTILE, value, {"id": "id_x"}, kind()) for kind in (FormRenderer, TemplatesSetting)
    )
    assert Reader(ours).seen == Reader(theirs).seen
    assert "<script>" not in ours


def test_other_widgets_and_fields_keep_their_templates() -> None:
    class Form(forms.Form):
        note = forms.CharField(widget=forms.Textarea)

    assert "<textarea" in Form(renderer=FormRenderer())["note"].as_field_group()


class Order(forms.Form):
    name = forms.CharField(help_text="As on the <b>box</b>", max_length=3)
    paid = forms.BooleanField()
    kinds = forms.MultipleChoiceField(choices=[("a", "A & B"), (HOSTILE, HOSTILE), (3, "Three")])


def field(name: str, /, **data: object) -> list[object]:
    return Reader(Order(data, renderer=FormRenderer())[name].as_field_group()).seen


def test_a_field_says_its_name_its_help_and_what_is_wrong_with_it() -> None:
    seen = field("name", name="long")
    assert ("label", [("for", "id_name")]) in seen
    assert {"Name", "As on the", "box"} <= {each for each in seen if isinstance(each, str)}
    assert ("div", [("aria-live", "polite"), ("class", "field-says"), ("id", "id_name_says")]) in seen
    assert "Ensure this value has at most 3 characters (it has 4)." in seen
    assert "Ensure" not in str(field("name", name="yes"))


def test_a_box_stands_before_its_name() -> None:
    seen = field("paid", paid="on")
    assert seen.index("Paid") > [tag for tag, *_ in seen].index("input")


def test_the_chosen_ones_of_several_are_ticked_and_none_becomes_markup() -> None:
    boxes = [dict(each[1]) for each in field("kinds", kinds=["a", "3"]) if each[0] == "input"]
    assert [(each["value"], "checked" in each) for each in boxes] == [
        ("a", True),
        (HOSTILE, False),
        ("3", True),
    ]
    assert "script" not in [each[0] for each in field("kinds")]
    assert ("fieldset", [("aria-describedby", "id_kinds_error"), ("class", "field field-kinds")]) in field(
        "kinds"
    )
