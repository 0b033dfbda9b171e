"""What the documents tell an operator to run or to read is there."""

import re

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

DOCS = settings.BASE_DIR / "docs"
PAGES = [settings.BASE_DIR / "README.md", *sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_exists(page) -> None:
    text = page.read_text()
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= get_commands().keys()
    targets = re.findall(r"^([a-z]+):", (settings.BASE_DIR / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)", text)) <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_leads_to_exists(page) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_every_alert_is_explained_and_nothing_else() -> None:
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"][0]["rules"]
    explained = re.findall(r"^### (\w+)$", (DOCS / "operating.md").read_text(), re.MULTILINE)
    assert explained == [rule["alert"] for rule in rules]
