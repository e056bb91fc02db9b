"""The table of scored rows: opened from a file, sorted, filtered, opened row by row, saved."""

import csv

from conftest import shot
from playwright.sync_api import expect


def test_a_file_opens_and_asks_nothing(visit, table):
    page = visit(table)
    data = page.document("scored-data")
    assert page.document("host")["host"] == "file"
    expect(page.page.locator("#explored .fit-verdict").first).to_have_text(data["verdict"])
    expect(page.page.locator("#new-data-static")).to_be_hidden()
    assert page.shown() == data["rows"]["listed"] == 300
    assert page.tile("threshold-panel", "flagged") == str(data["anomalies"])
    assert page.page.locator(".drop-zone").count() == 0 and page.page.locator("#one-row").count() == 0
    shot(page, "table-light")
    page.check_clean()


def test_every_column_sorts_both_ways(visit, table):
    page = visit(table)
    rows = page.document("scored-data")["rows"]
    heads = page.page.locator(".grid-head [role=columnheader][data-key]")
    keys = [heads.nth(i).get_attribute("data-key") for i in range(heads.count())]
    assert keys[:4] == ["row", "score", "p_value", "label"] and keys[-1] == "reasons" and "id:0" in keys
    by_score = sorted(range(300), key=lambda i: -rows["score"][i])
    first = page.page.locator(".grid-body .cell-row").first
    expect(first).to_have_text(str(rows["row"][by_score[0]]))
    for key in keys:
        head = page.page.locator(f"[data-key='{key}']")
        seen = []
        for _ in range(2):
            head.locator("button").click()
            seen.append(head.get_attribute("aria-sort"))
            others = page.page.locator("[role=columnheader]:is([aria-sort=ascending],[aria-sort=descending])")
            expect(others).to_have_count(1)
        assert sorted(seen) == ["ascending", "descending"], key
    page.page.locator("[data-key='id:0'] button").click()
    expect(page.page.locator(".grid-body .cell-id").first).to_have_text(min(rows["ids"][0]["values"]))
    page.page.locator("[data-key='id:0'] button").click()
    expect(page.page.locator(".grid-body .cell-id").first).to_have_text(max(rows["ids"][0]["values"]))


def test_filters_hold_together(visit, table):
    page = visit(table)
    data = page.document("scored-data")
    scores, labels, threshold = data["rows"]["score"], data["rows"]["label"], data["threshold"]
    flagged = [i for i in range(300) if scores[i] > threshold]
    page.page.get_by_label("flagged only").check()
    expect(page.page.locator(".filter-count")).to_contain_text(f"{len(flagged)} of 300 rows")
    assert page.shown() == len(flagged)
    page.page.get_by_label("Label").select_option("anomalous")
    both = [i for i in flagged if labels[i] == 1]
    expect(page.page.locator(".filter-count")).to_contain_text(f"{len(both)} of 300 rows")
    page.page.get_by_label("clear all filters").click()
    assert page.shown() == 300
    page.page.get_by_label("Find").fill("c200123")
    expect(page.page.locator(".filter-count")).to_contain_text("1 of 300 rows")
    expect(page.page.locator(".grid-body .cell-id")).to_have_text(["C200123"])
    page.page.get_by_label("Find").fill("nothing has this")
    expect(page.page.locator(".grid-empty")).to_have_text("No row passes the filter.")
    page.page.get_by_label("clear all filters").click()
    page.page.get_by_label("lowest score").fill(repr(sorted(scores)[-10]))
    expect(page.page.locator(".filter-count")).to_contain_text("10 of 300 rows")


def test_a_row_opens_with_expected_and_got(visit, table):
    page = visit(table)
    data = page.document("scored-data")
    page.page.locator(".grid-body .cell-score").first.click()
    dialog = page.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    best, reasons = data["details"]["of"][0], data["details"]["reasons"][0]
    expect(dialog.locator("h3").first).to_have_text(f"Row {data['rows']['row'][best]}")
    expect(dialog.locator(".reasons > div")).to_have_count(len(reasons))
    expect(dialog.locator(".reasons > div").first).to_contain_text(reasons[0]["got"])
    lines = dialog.locator(".deviations tbody tr")
    expect(lines).to_have_count(len(data["columns"]))
    expect(lines.first.locator("th")).to_have_text(reasons[0]["column"])
    amount = [c["name"] for c in data["columns"]].index("amount")
    line = dialog.locator(".deviations tbody tr", has_text="amount")
    expect(line.locator("td.got")).to_have_text(data["details"]["got"][0][amount])
    expect(line.locator("td.expected")).to_have_text(data["details"]["expected"][0][amount])
    assert line.locator("svg rect.bin").count() > 3
    assert "got" in line.locator("svg").get_attribute("aria-label")
    shot(page, "row", full_page=False)
    dialog.get_by_label("next in the table").click()
    second = data["details"]["of"][1]
    expect(dialog.locator("h3").first).to_have_text(f"Row {data['rows']['row'][second]}")
    page.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.check_clean()


def saved(page):
    with page.page.expect_download() as download:
        page.page.locator(".save-bar button").click()
    text = open(download.value.path(), newline="", encoding="utf-8").read()
    return download.value.suggested_filename, list(csv.DictReader(text.splitlines()))


def test_what_is_shown_is_saved(visit, table):
    page = visit(table)
    data = page.document("scored-data")
    page.page.get_by_label("flagged only").check()
    expect(page.page.locator(".save-bar button")).to_have_text(f"Save {data['anomalies']} rows as CSV")
    name, rows = saved(page)
    assert name == "table-new-scores.csv"
    assert len(rows) == data["anomalies"]
    at = data["details"]["of"][0]
    assert rows[0]["row"] == str(data["rows"]["row"][at])
    assert float(rows[0]["score"]) == data["rows"]["score"][at]
    assert rows[0]["is_anomaly"] == "true" and rows[0]["customer_id"].startswith("C2")
    assert rows[0]["reason_1"].startswith(data["details"]["reasons"][0][0]["column"])


def test_selected_rows_are_saved_alone(visit, table):
    page = visit(table)
    boxes = page.page.locator(".grid-body .pick")
    boxes.nth(0).click()
    boxes.nth(2).click()
    expect(page.page.locator(".grid-body [aria-selected=true]")).to_have_count(2)
    expect(page.page.locator(".save-bar button")).to_have_text("Save 2 selected rows as CSV")
    _, rows = saved(page)
    shown = page.cells("row")
    assert [row["row"] for row in rows] == [shown[0], shown[2]]
    page.page.get_by_role("button", name="Show the selected rows alone").click()
    assert page.shown() == 2
    expect(page.page.locator(".chip")).to_contain_text("selected: 2")


def test_a_link_shows_the_same_rows(visit, table):
    page = visit(table)
    page.page.get_by_label("flagged only").check()
    page.page.get_by_label("Find").fill("c2001")
    page.slide(0.3)
    page.page.wait_for_function("location.hash.includes('t=')")
    again = visit(page.page.evaluate("location.href"))
    assert again.shown() == page.shown()
    assert again.tile("threshold-panel", "flagged") == page.tile("threshold-panel", "flagged")
    expect(again.page.get_by_label("Find")).to_have_value("c2001")


def test_the_command_is_copied(visit, table):
    page = visit(table, permissions=["clipboard-read", "clipboard-write"])
    page.page.get_by_label("copy command with this threshold").click()
    expect(page.page.locator(".copied").first).to_have_text("copied")
    assert page.page.evaluate("navigator.clipboard.readText()") == page.document("scored-data")["command"]
    # Where pages have no clipboard, the text is selected at least.
    closed = visit(table)
    closed.page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('closed')))")
    closed.page.get_by_label("copy command with this threshold").click()
    expect(closed.page.locator(".copied").first).to_have_text("copied")
    closed.page.evaluate("void (document.execCommand = () => false)")
    closed.page.get_by_label("copy command with this threshold").click()
    expect(closed.page.locator(".copied").first).to_have_text("selected: press Ctrl+C")
    assert closed.page.evaluate("getSelection().toString()") == closed.document("scored-data")["command"]
