"""The threshold: the slider and what follows it, the histogram, the labels, the code map."""

from conftest import shot
from playwright.sync_api import expect


def counts(data, threshold):
    rows = zip(data["rows"]["score"], data["rows"]["label"])
    flagged = [(score > threshold, label == 1) for score, label in rows if label is not None]
    tp, fp = flagged.count((True, True)), flagged.count((True, False))
    return tp, fp, flagged.count((False, True)), flagged.count((False, False))


def threshold_of(page):
    return float(page.page.get_by_label("threshold, as a number").input_value())


def test_the_slider_moves_every_count(visit, table):
    page = visit(table)
    data = page.document("scored-data")
    scores = data["rows"]["score"]
    assert page.tile("threshold-panel", "flagged") == str(data["anomalies"])
    before = page.page.locator(".copy-text").first.inner_text()
    for share in (0.1, 0.35, 0.6, 0.9):
        page.slide(share)
        expect(page.page.get_by_role("button", name="Model's threshold")).to_be_enabled()
        threshold = threshold_of(page)
        n = sum(score > threshold for score in scores)
        assert page.tile("threshold-panel", "flagged") == str(n)
        tp, fp, fn, tn = counts(data, threshold)
        confusion = page.page.locator(".confusion td.n").all_inner_texts()
        assert confusion == [str(tp), str(fn), str(fp), str(tn)]
        assert page.tile("label-panel", "recall").replace(" %", "") == f"{100 * tp / (tp + fn):.0f}"
        if tp + fp:
            assert float(page.tile("label-panel", "F1")) == round(2 * tp / (2 * tp + fp + fn), 3)
        above = sum(score > threshold for score in data["calibration"]["scores"])
        promise = min(1, (1 + above) / (len(data["calibration"]["scores"]) + 1))
        shown = float(page.tile("threshold-panel", "false alarms").strip("≤ %"))
        assert abs(shown - 100 * promise) <= 0.5
        expect(page.page.locator(".copy-text").first).to_contain_text(f"--threshold fixed={threshold:g}")
        flags = page.page.locator(".grid-body .grid-row.anomaly").count()
        assert (flags > 0) == (n > 0)
    page.page.get_by_role("button", name="Model's threshold").click()
    assert page.tile("threshold-panel", "flagged") == str(data["anomalies"])
    expect(page.page.locator(".copy-text").first).to_have_text(before)
    page.check_clean()


def test_the_slider_has_keys_and_steps_of_one_row(visit, table):
    page = visit(table)
    flagged = int(page.tile("threshold-panel", "flagged"))
    page.page.get_by_label("flag one row more").click()
    assert page.tile("threshold-panel", "flagged") == str(flagged + 1)
    page.page.get_by_label("flag one row fewer").click()
    page.page.get_by_label("flag one row fewer").click()
    assert page.tile("threshold-panel", "flagged") == str(flagged - 1)
    slider = page.page.locator(".threshold-slider")
    slider.focus()
    before = threshold_of(page)
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowRight")
    expect(page.page.get_by_label("threshold, as a number")).not_to_have_value(str(before))
    assert threshold_of(page) > before
    assert "flagged" in slider.get_attribute("aria-valuetext")
    page.page.get_by_label("threshold, as a number").fill("0.0001")
    page.page.keyboard.press("Enter")
    assert page.tile("threshold-panel", "flagged") == "300"


def test_dragging_over_the_histogram_filters(visit, table):
    page = visit(table)
    scores = page.document("scored-data")["rows"]["score"]
    histogram = page.page.locator("svg.histogram")
    # The mouse reaches what is in the window alone.
    histogram.scroll_into_view_if_needed()
    box = histogram.bounding_box()
    y = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + 0.5 * box["width"], y)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=5)
    page.page.mouse.up()
    expect(page.page.get_by_label("lowest score")).not_to_have_value("")
    low = float(page.page.get_by_label("lowest score").input_value())
    high = float(page.page.get_by_label("highest score").input_value())
    assert low < high and page.shown() == sum(low <= score <= high for score in scores) < 300
    expect(page.page.locator("svg.histogram rect.range")).to_have_count(1)
    page.page.mouse.click(box["x"] + 5, y)
    assert page.shown() == 300


def test_the_moving_point_follows_on_both_curves(visit, table):
    page = visit(table)
    point = page.page.locator(".label-panel circle.at").first
    before = point.get_attribute("cx"), point.get_attribute("cy")
    page.slide(0.05)
    expect(point).not_to_have_attribute("cx", before[0])
    assert "ROC" in page.page.locator(".label-panel svg").first.get_attribute("aria-label")


def test_a_line_around_rows_of_the_map_filters(visit, table):
    page = visit(table)
    canvas = page.page.locator(".map-frame canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    corners = [(0.004, 0.004), (0.996, 0.004), (0.996, 0.996), (0.004, 0.996), (0.004, 0.3)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.page.mouse.move(*points[0])
    page.page.mouse.down()
    for point in points[1:]:
        page.page.mouse.move(*point, steps=4)
    page.page.mouse.up()
    expect(page.page.locator(".chip")).to_contain_text("drawn around: 300")
    # A half of the map holds some of the rows.
    page.page.mouse.move(*points[0])
    page.page.mouse.down()
    for x, y in [(0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]:
        page.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
    page.page.mouse.up()
    expect(page.page.locator(".chip")).not_to_contain_text("300")
    assert 0 < page.shown() < 300
    page.page.get_by_label("remove the filter drawn around").click()
    assert page.shown() == 300


def test_the_map_tells_of_rows_and_leads_to_them(visit, table):
    page = visit(table)
    page.page.locator(".grid-body .cell-score").first.click()
    page.page.get_by_role("button", name="Show the 50 nearest on the code map").click()
    expect(page.page.locator(".chip")).to_contain_text("nearest to row")
    assert page.shown() == 50
    page.page.get_by_label("clear all filters").click()
    canvas = page.page.locator(".map-frame canvas")
    canvas.scroll_into_view_if_needed()
    # The row of the highest score stands where its code says.
    data = page.document("scored-data")
    rows, best = data["rows"], data["details"]["of"][0]
    share = []
    for axis in ("x", "y"):
        values = [v for v in rows[axis] if v is not None] + [point[axis] for point in data["training_map"]]
        share.append((rows[axis][best] - min(values)) / (max(values) - min(values)))
    box, margin = canvas.bounding_box(), 14
    x = box["x"] + margin + share[0] * (box["width"] - 2 * margin)
    page.page.mouse.move(x, box["y"] + margin + (1 - share[1]) * (box["height"] - 2 * margin))
    tip = page.page.locator(".map-frame .tip")
    expect(tip).to_contain_text(f"row {rows['row'][best]}")
    expect(tip).to_contain_text("score")
    shot(page, "map", full_page=False)
    page.page.mouse.down()
    page.page.mouse.up()
    expect(page.page.get_by_role("dialog")).to_be_visible()


def test_the_map_comes_near(visit, table):
    page = visit(table)
    canvas = page.page.locator(".map-frame canvas")
    canvas.scroll_into_view_if_needed()
    whole = canvas.screenshot()
    page.page.get_by_label("near the training rows alone").check()
    page.page.wait_for_timeout(200)
    assert canvas.screenshot() != whole
    # All rows are still there, those far away at the edge.
    box = canvas.bounding_box()
    corners = [(0.004, 0.004), (0.996, 0.004), (0.996, 0.996), (0.004, 0.996), (0.004, 0.3)]
    page.page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.page.mouse.down()
    for x, y in corners:
        page.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
    page.page.mouse.up()
    expect(page.page.locator(".chip")).to_contain_text("drawn around: 300")
    page.page.get_by_label("near the training rows alone").uncheck()
