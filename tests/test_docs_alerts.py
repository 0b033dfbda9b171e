"""The alert rules speak of metrics that there are, and each alert is explained."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from fulfillment.operations import text

RULES = yaml.safe_load((settings.BASE_DIR / "docs" / "alerts.yml").read_text())["groups"][0]["rules"]


@pytest.mark.django_db
def test_every_metric_of_a_rule_exists() -> None:
    known = {line.split()[2] for line in text().decode().splitlines() if line.startswith("# TYPE")}
    used = {name for rule in RULES for name in re.findall(r"dashboard_\w+", rule["expr"])}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in used} <= known


def test_every_rule_says_how_grave_it_is_and_what_it_is_about() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_every_metric_is_kept_an_eye_on_or_is_of_the_kind_that_shows_why(settings) -> None:
    page = Path(settings.BASE_DIR, "docs", "alerts.yml").read_text()
    for name in ("sync_age_seconds", "drift_orders", "rows", "queue_served", "beat_alive", "line_rests"):
        assert f"dashboard_{name}" in page
