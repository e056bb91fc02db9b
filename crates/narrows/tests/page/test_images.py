"""The images that score highest, and the wipe."""

from conftest import shot
from playwright.sync_api import expect


def test_images_with_a_wipe(visit, images):
    page = visit(images)
    data = page.document("scored-data")
    choices = page.page.locator(".image-choice")
    expect(choices).to_have_count(min(24, len(data["images"])))
    expect(page.page.locator(".image-panel h4")).to_contain_text(data["images"][0]["name"])
    stage = page.page.locator(".stage img")
    expect(stage).to_have_count(2)
    loaded = page.page.locator(".image-panel img").evaluate_all("list => list.every(i => i.complete && i.naturalWidth > 0)")
    assert loaded
    wipe = page.page.locator(".image-panel input[type=range]")
    wipe.focus()
    before = stage.nth(1).evaluate("image => image.style.clipPath")
    for _ in range(10):
        page.page.keyboard.press("ArrowLeft")
    expect(wipe).to_have_value("40")
    assert stage.nth(1).evaluate("image => image.style.clipPath") != before
    assert "% input" in wipe.get_attribute("aria-valuetext")
    page.page.get_by_label("uncover").select_option("heat")
    assert stage.nth(1).get_attribute("src").endswith(data["images"][0]["heat"])
    shot(page, "images")
    choices.first.focus()
    page.page.keyboard.press("ArrowDown")
    expect(page.page.locator(".image-panel h4")).to_contain_text(data["images"][1]["name"])
    expect(choices.nth(1)).to_be_focused()
    page.check_clean()


def test_broken_images_are_among_the_highest(visit, images):
    page = visit(images)
    names = [image["name"] for image in page.document("scored-data")["images"][:3]]
    assert all(name.split("part")[-1][1] == "4" for name in names), names
