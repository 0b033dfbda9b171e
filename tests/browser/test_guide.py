"""The user's guide: its pictures are of these pages, and what it says stands on them.

`make guide` takes the pictures anew. Otherwise they are only compared, by the words of their headings,
buttons and labels: fonts and colours differ from machine to machine.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.test.client import Client
from PIL import Image
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser import guide_scenes
from tests.browser.guide_scenes import NOW, SCENES, World
from tests.conftest import signed_in

GUIDE = Path(settings.BASE_DIR) / "docs" / "guide"
IMAGES = GUIDE / "images"
SHOWN = IMAGES / "shown.json"
LARGEST, SIZE = 150_000, (1280, 800)
PICTURES = [name for name, scene in SCENES.items() if scene.picture]
# What a page says, also in what is folded or only heard, and what it says apart from its data.
TEXT = """() => [document.body.textContent, ...[...document.querySelectorAll(
    '[aria-label], [placeholder], [title]')].flatMap(each => [each.ariaLabel, each.placeholder, each.title])
].join(' ')"""
LABELS = """() => [...(document.querySelector('dialog[open]') ?? document).querySelectorAll(
    'h1, legend, label, th, button, .button, .tab, .nav a')]
    .filter(each => each.checkVisibility()).map(each => {
        const copy = each.cloneNode(true);
        copy.querySelectorAll('bdi, svg, .unseen, .tab-count').forEach(part => part.remove());
        return copy.textContent;
    })"""


def chapters() -> dict[str, str]:
    """The guide's sections by page and heading."""
    found = {}
    for page in sorted(GUIDE.glob("*.md")):
        for section in page.read_text().split("\n## ")[1:]:
            heading, _, text = section.partition("\n")
            found[f"{page.name}: {heading}"] = text
    return found


def named(section: str) -> list[str]:
    """The scenes that a section shows or speaks of."""
    spoken = [name for line in re.findall(r"<!-- shows: (.*) -->", section) for name in line.split(", ")]
    return re.findall(r"\]\(images/([\w-]+)\.png\)", section) + spoken


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def world(live_server: LiveServer, transactional_db: None, settings) -> Iterator[World]:
    settings.BASE_URL = "https://pay.lantern.example"
    with time_machine.travel(NOW, tick=True), guide_scenes.sandbox(live_server.url) as paysuper:
        yield guide_scenes.world(paysuper)


def visitor(browser: Browser, address: str, session: Client) -> Page:
    """A window of somebody who is signed in."""
    context = browser.new_context(
        base_url=address, viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce"
    )
    cookie = session.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return context.new_page()


def small(picture: bytes) -> bytes:
    """The picture with as many colours as it needs to look the same."""
    file = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(colors=128, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_guide_says_what_stands_on_the_pages(
    browser: Browser, live_server: LiveServer, world: World
) -> None:
    seen, shown = {}, {}
    windows = {
        name: visitor(browser, live_server.url, signed_in(member.user)) for name, member in world.team.items()
    }
    for name, scene in SCENES.items():
        page = windows[scene.who]
        answer = page.goto(scene.address(world))
        assert answer is not None
        assert answer.status == 200, name
        scene.act(page)
        page.wait_for_function("!document.querySelector('.htmx-request')")
        seen[name] = words(page.evaluate(TEXT))
        if scene.picture:
            # Numbers are the data's.
            labels = [re.sub(r"\d+(?:[.,:]\d+)*", "#", words(each)) for each in page.evaluate(LABELS)]
            shown[name] = list(dict.fromkeys(filter(None, labels)))
            if os.environ.get("GUIDE") == "write":
                (IMAGES / f"{name}.png").write_bytes(small(page.screenshot()))
    for window in windows.values():
        window.context.close()
    if os.environ.get("GUIDE") == "write":
        SHOWN.write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n")
    missing = [
        f"{heading}: {bold}"
        for heading, section in chapters().items()
        for bold in map(words, re.findall(r"\*\*([^*]+)\*\*", section))
        if not any(
            bold in seen[name] for name in [*named(section), "team", "settings", "projects", "exports"]
        )
    ]
    assert not missing, "not on these pages:\n" + "\n".join(missing)
    aged = [name for name in PICTURES if shown[name] != json.loads(SHOWN.read_text()).get(name)]
    assert not aged, f"{aged}: these pages have changed since their pictures were taken: run `make guide`"


def test_every_picture_is_one_of_a_page_and_small() -> None:
    used = [name for section in chapters().values() for name in re.findall(r"images/([\w-]+)\.png", section)]
    assert sorted(used) == sorted(PICTURES) == sorted(file.stem for file in IMAGES.glob("*.png"))
    for file in IMAGES.glob("*.png"):
        assert file.stat().st_size < LARGEST, file.name
        with Image.open(file) as image:
            assert image.size == SIZE


def test_every_section_names_its_pages_and_every_page_is_spoken_of() -> None:
    spoken = {heading: named(section) for heading, section in chapters().items()}
    assert [heading for heading, names in spoken.items() if not names] == ["README.md: Without a connection"]
    assert {name for names in spoken.values() for name in names} <= SCENES.keys()
