"""Where the keyboard stands in a table: the ring around a link is whole, however long its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SHEETS = ("tokens.css", "base.css", "layout.css", "rooms.css")
# As `components.page_parts.table` and `opener` write them.
TABLE = """
<main style="padding: 40px"><section class="card table-card"><div class="table-box">
<table><thead><tr><th>Product</th><th class="num">Net sales</th><th>Last</th></tr></thead><tbody>
<tr><th scope="row" class="name"><a href="#1">Mug</a></th><td class="num">$1</td><td>x</td></tr>
<tr><th scope="row" class="name"><a href="#2">A merino blanket whose name is longer than its column
</a></th><td class="num">$2</td><td><a href="#3">Today</a></td></tr>
</tbody></table></div></section></main>
"""


@pytest.fixture(params=[1200, 390])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 500})
    opened = context.new_page()
    opened.set_content(TABLE)
    for sheet in SHEETS:
        opened.add_style_tag(content=(ASSETS / sheet).read_text())
    opened.add_style_tag(content="* { transition: none !important }")
    yield opened
    context.close()


def ring(page: Page, link: str) -> dict[str, bytes]:
    """The pixels where the four sides of a ring around the link are drawn, in the middle of each.

    The ring is two pixels wide and two away.
    """
    box = page.locator(link).bounding_box()
    assert box is not None
    left, top = round(box["x"]), round(box["y"])
    right, bottom = round(box["x"] + box["width"]), round(box["y"] + box["height"])
    middle_x, middle_y = (left + right) // 2, (top + bottom) // 2
    sides = {
        "left": (left - 4, middle_y, 2, 1),
        "right": (right + 2, middle_y, 2, 1),
        "top": (middle_x, top - 4, 1, 2),
        "bottom": (middle_x, bottom + 2, 1, 2),
    }
    return {
        side: page.screenshot(clip={"x": x, "y": y, "width": width, "height": height})
        for side, (x, y, width, height) in sides.items()
    }


@pytest.mark.parametrize("stops", [1, 2, 3])
def test_the_ring_around_a_link_in_a_table_has_its_four_sides(page: Page, stops: int) -> None:
    link = f'[href="#{stops}"]'
    before = ring(page, link)
    for _ in range(stops):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"#{stops}"
    seen = ring(page, link)
    assert [side for side in seen if seen[side] == before[side]] == []


def test_room_for_the_ring_moves_no_text(page: Page) -> None:
    title = page.locator(".table-card").bounding_box()
    name = page.locator("tbody .name").first.bounding_box()
    assert title is not None
    assert name is not None
    inside = page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('.card')).paddingLeft)"
    )
    assert name["x"] == pytest.approx(title["x"] + 1 + inside)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
