"""The timeline of series: zoom, events, the way from a row to its place and back."""

from conftest import shot
from playwright.sync_api import expect


def span(page):
    """The times that the timeline names at its ends."""
    return page.page.locator(".time-frame canvas").get_attribute("aria-label").split(":", 1)[0] + page.page.locator(
        ".time-frame canvas"
    ).get_attribute("aria-label").split(" to ")[1]


def test_events_are_listed_and_zoom(visit, series):
    page = visit(series)
    data = page.document("scored-data")
    north = next(s for s in data["series"] if s["name"] == "north")
    assert north["events"], "the break is found"
    chosen = page.page.get_by_label("Series", exact=True)
    expect(chosen.locator("option:checked")).to_contain_text("north")
    expect(page.page.locator(".series-panel .events tbody tr")).to_have_count(min(12, len(north["events"])))
    best = max(north["events"], key=lambda e: max(x or 0 for x in north["score"][e["first"] : e["last"] + 1]))
    expect(page.page.locator(".series-panel .events tbody tr").first).to_contain_text(north["times"][best["first"]].replace("T", " ").removesuffix(":00Z"))
    shot(page, "series")
    whole = span(page)
    page.page.get_by_label("zoom to event 1").click()
    expect(page.page.get_by_role("button", name="whole series")).to_be_enabled()
    page.page.wait_for_timeout(100)
    near = span(page)
    assert near != whole
    page.page.get_by_role("button", name="whole series").click()
    page.page.wait_for_timeout(100)
    assert span(page) == whole
    page.check_clean()


def test_keys_and_dragging_zoom(visit, series):
    page = visit(series)
    frame = page.page.locator(".time-frame")
    frame.focus()
    whole = span(page)
    page.page.keyboard.press("+")
    page.page.wait_for_timeout(100)
    closer = span(page)
    assert closer != whole
    page.page.keyboard.press("ArrowRight")
    page.page.wait_for_timeout(100)
    assert span(page) != closer
    page.page.keyboard.press("0")
    page.page.wait_for_timeout(100)
    assert span(page) == whole
    box = frame.bounding_box()
    page.page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 320, box["y"] + 60, steps=4)
    page.page.mouse.up()
    page.page.wait_for_timeout(100)
    assert span(page) != whole
    page.page.mouse.move(box["x"] + 300, box["y"] + 60)
    expect(frame.locator(".tip")).to_contain_text("score")


def test_events_follow_the_threshold(visit, series):
    page = visit(series)
    lines = page.page.locator(".series-panel .events tbody tr")
    before = lines.count()
    assert before > 0
    page.slide(0.9999)
    expect(page.page.locator(".series-panel > .more").first).to_contain_text("No event")
    expect(lines).to_have_count(0)
    page.slide(0.35)
    expect(lines).not_to_have_count(0)
    expect(page.page.locator(".series-panel > .more").first).to_contain_text("runs of points above it")
    assert lines.count() >= before
    page.page.get_by_role("button", name="Model's threshold").click()
    expect(lines).to_have_count(before)


def test_a_row_leads_to_its_place_and_a_place_to_its_row(visit, series):
    page = visit(series)
    page.page.locator(".grid-body .cell-score").first.click()
    page.page.get_by_role("button", name="Show on the timeline").click()
    expect(page.page.get_by_role("dialog")).to_be_hidden()
    expect(page.page.get_by_role("button", name="whole series")).to_be_enabled()
    frame = page.page.locator(".time-frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    expect(page.page.get_by_role("dialog")).to_be_visible()
