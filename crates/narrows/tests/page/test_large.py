"""A table of 100,000 rows stays fluid, and small in the document."""

import json
import re
from urllib.parse import urlparse

from playwright.sync_api import expect

ROWS = 100_000
# Bounds of processor time, which other work on the machine does not lengthen much, without a graphics processor; a table
# that is wholly in the document takes minutes.
SCROLL_SECONDS, SORT_SECONDS, SLIDE_SECONDS = 0.1, 2, 0.5
# Those of one screen, and some beyond both of its ends.
MOST_ROWS = 60

FRAME = "await new Promise(done => requestAnimationFrame(() => setTimeout(done)));"


def enlarged(table, folder):
    """The report with its rows repeated to `ROWS`, scores a little apart."""
    html = open(urlparse(table).path, encoding="utf-8").read()
    found = re.search(r'(<script type="application/json" id="scored-data">)(.*?)(</script>)', html, re.S)
    data = json.loads(found[2])
    rows, n = data["rows"], data["rows"]["listed"]

    def repeated(values):
        return [values[i % n] for i in range(ROWS)]

    for key in ("p_value", "label", "flag", "x", "y"):
        if key in rows:
            rows[key] = repeated(rows[key])
    rows["score"] = [rows["score"][i % n] * (1 + 1e-6 * (i // n)) for i in range(ROWS)]
    rows["row"] = list(range(ROWS))
    for ids in rows["ids"]:
        ids["values"] = [f"C{(i * 7919) % ROWS:06}" for i in range(ROWS)]
    rows["listed"] = data["read"] = data["scored"] = ROWS
    target = folder / "large.html"
    text = json.dumps(data).replace("<", "\\u003c")
    target.write_text(html[: found.start(2)] + text + html[found.end(2) :], encoding="utf-8")
    return target.as_uri()


class Clock:
    """Processor time of the page's main thread."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read(self):
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    def of(self, page, script):
        """Seconds that a script takes, with what it sets off until the next frame, and its result."""
        start = self.read()
        result = page.evaluate("async () => { %s }" % script.replace("FRAME", FRAME))
        return self.read() - start, result


SCROLL = """
const grid = document.querySelector(".row-grid");
let most = 0;
for (let i = 0; i <= 50; i += 1) {
  grid.scrollTop = grid.scrollHeight * i / 50;
  FRAME
  most = Math.max(most, document.querySelectorAll(".grid-body .grid-row").length);
}
return most;
"""

SLIDE = """
const slider = document.querySelector(".threshold-slider");
for (let i = 0; i < 10; i += 1) {
  slider.value = 300 + 40 * i;
  slider.dispatchEvent(new Event("input"));
  FRAME
}
"""


def test_100000_rows_scroll_sort_and_filter(visit, table, tmp_path):
    page = visit(enlarged(table, tmp_path))
    expect(page.page.locator(".filter-count")).to_contain_text("All 100,000 rows")
    assert page.page.locator(".grid-body .grid-row").count() <= MOST_ROWS
    clock = Clock(page.page)
    seconds, most = clock.of(page.page, SCROLL)
    assert most <= MOST_ROWS
    assert seconds / 51 < SCROLL_SECONDS
    expect(page.page.locator(".grid-body .grid-row[aria-rowindex='100001']")).to_have_count(1)
    for key in ("row", "id:0", "reasons", "score"):
        seconds, _ = clock.of(page.page, f"document.querySelector(`[data-key='{key}'] button`).click(); FRAME")
        assert seconds < SORT_SECONDS, key
    seconds, _ = clock.of(page.page, SLIDE)
    assert seconds / 10 < SLIDE_SECONDS
    page.page.get_by_label("Find").fill("C00012")
    expect(page.page.locator(".filter-count")).to_contain_text("10 of 100,000 rows")
    page.check_clean()
