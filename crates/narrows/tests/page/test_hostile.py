"""Names and cells that would run if they became markup."""

import samples
from playwright.sync_api import expect


def test_markup_in_names_and_cells_is_text(visit, hostile):
    page = visit(hostile)
    title = page.page.title()
    page.page.locator(".grid-body .cell-score").first.click()
    dialog = page.page.get_by_role("dialog")
    expect(dialog.locator(".deviations")).to_contain_text(samples.HOSTILE)
    expect(dialog).to_contain_text("owned")
    page.page.keyboard.press("Escape")
    page.page.get_by_label("Find").fill("<img")
    page.page.get_by_label("Find").fill("</script>")
    assert page.page.title() == title
    assert page.page.locator("img[src='x']").count() == 0
    page.check_clean()


def test_a_saved_formula_is_text(visit, hostile):
    page = visit(hostile)
    ids = page.document("scored-data")["rows"]["ids"]
    assert ids and ids[0]["values"][0].startswith("=cmd")
    with page.page.expect_download() as download:
        page.page.locator(".save-bar button").click()
    lines = open(download.value.path(), encoding="utf-8").read().splitlines()
    assert all(line.split(",")[1].startswith("'=cmd|") for line in lines[1:])
    expect(page.page.locator(".save-bar small")).to_contain_text("begin with an apostrophe")


def test_an_address_cannot_run_anything(visit, table):
    page = visit(table + "#explore:q=<img src=x onerror=alert(1)>&t=javascript:alert(1)&sort=__proto__&label=constructor")
    expect(page.page.get_by_label("Find")).to_have_value("<img src=x onerror=alert(1)>")
    page.check_clean()
