"""Pages by the server: files dropped on them, the form for a row, drift, several models side by side."""

import json
import subprocess
import urllib.request

from conftest import shot
from playwright.sync_api import expect
from test_access import FAINT, UNNAMED


def given(folder, name):
    return {"name": name, "mimeType": "application/octet-stream", "buffer": (folder / name).read_bytes()}


def drop(page, name, content):
    """Drops a file on the page, as from a folder."""
    page.page.evaluate(
        """([name, content]) => {
          const data = new DataTransfer();
          data.items.add(new File([content], name));
          const event = type => new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
          document.body.dispatchEvent(event("dragover"));
          document.body.dispatchEvent(event("drop"));
        }""",
        [name, content],
    )


def test_a_file_is_dropped_and_scored(visit, server, narrows):
    page = visit(f"{server}/models/table")
    expect(page.page.locator(".drop-zone.bare")).to_contain_text("No data yet")
    assert page.page.locator(".row-grid").count() == 0
    shot(page, "server-empty")
    drop(page, "table-new.csv", (narrows.folder / "table-new.csv").read_text())
    expect(page.page.locator(".filter-count")).to_contain_text("All 300 rows")
    reported = (narrows.folder / "table.html").read_text()
    assert page.page.locator("#explored .fit-verdict").first.inner_text().split(";")[0].replace("\u00a0", " ") in reported.replace("\u00a0", " ").replace("&nbsp;", " ")
    expect(page.page.locator(".drop-zone:not(.bare)")).to_be_visible()
    expect(page.page.locator("#drift h3").first).to_have_text("The scored file")
    page.check_clean()


def test_a_file_is_chosen_with_labels(visit, server, narrows):
    page = visit(f"{server}/models/table")
    page.page.get_by_label("Column with labels, if any").fill("is_fraud")
    page.page.get_by_label("its value in normal rows").fill("0")
    page.page.get_by_label("or choose it").set_input_files(given(narrows.folder, "table-new.csv"))
    expect(page.page.locator(".label-panel")).to_be_visible()
    page.check_clean()


def test_the_servers_message_is_shown(visit, server):
    page = visit(f"{server}/models/table")
    page.page.get_by_label("or choose it").set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": b"x,y\n1,2\n"})
    trouble = page.page.locator(".drop-zone .trouble")
    expect(trouble).to_be_visible()
    asked = urllib.request.Request(f"{server}/v2/models/table/report?name=bad.csv", b"x,y\n1,2\n", method="POST")
    try:
        urllib.request.urlopen(asked)
        raise AssertionError("the server took it")
    except urllib.error.HTTPError as error:
        message = json.load(error)["error"]
    assert trouble.inner_text().lower().startswith(message.lower()[:40])
    assert page.page.evaluate("window.violations") == []


def test_the_form_scores_one_row(visit, server):
    page = visit(f"{server}/models/table")
    form = page.page.locator("#one-row")
    columns = page.document("host")["columns"]
    expect(form.locator(".form-field")).to_have_count(len(columns))
    assert float(form.get_by_label("amount").input_value()) > 0
    assert form.get_by_label("country").input_value() == "DE"
    form.get_by_role("button", name="Score this row").click()
    expect(form.locator(".answer .fit-verdict")).to_contain_text("Not an anomaly")
    form.get_by_label("amount").fill("250000")
    form.get_by_role("button", name="Score this row").click()
    expect(form.locator(".answer .fit-verdict")).to_contain_text("An anomaly")
    expect(form.locator(".answer .reasons > div").first).to_contain_text("amount")
    command = form.locator(".copy-text").inner_text()
    ran = json.loads(subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout)
    assert ran["rows"][0]["is_anomaly"] is True
    shot(page, "form")
    form.get_by_label("hour").fill("noon")
    form.get_by_role("button", name="Score this row").click()
    expect(form.locator(".trouble:not([hidden]), .answer .notes")).to_contain_text("hour")
    form.get_by_role("button", name="Typical values").click()
    assert form.get_by_label("amount").input_value() != "250000"
    assert page.page.evaluate(UNNAMED) == []
    assert page.page.evaluate(FAINT) == []


def test_drift_is_told_by_column(visit, server, narrows):
    page = visit(f"{server}/models/table")
    page.page.get_by_label("or choose it").set_input_files(given(narrows.folder, "table-new.csv"))
    drift = page.page.locator("#drift")
    expect(drift.locator(".drift-columns").first).to_contain_text("amount")
    expect(drift.locator(".fit-verdict").first).to_be_visible()
    drift.get_by_role("button", name="Ask again").click()
    expect(drift).to_contain_text("Scored by the server")
    shot(page, "drift")


def test_series_and_images_are_dropped(visit, server, narrows):
    page = visit(f"{server}/models/series")
    assert page.page.locator("#one-row").count() == 0
    drop(page, "series-new.csv", (narrows.folder / "series-new.csv").read_text())
    expect(page.page.locator(".time-frame")).to_be_visible()
    page.check_clean()
    page = visit(f"{server}/models/images")
    part = given(narrows.folder / "parts", "part04.png")
    page.page.get_by_label("or choose it").set_input_files(part)
    expect(page.page.locator(".stage img").first).to_be_visible()
    page.check_clean()


def test_models_side_by_side(visit, server, narrows):
    page = visit(server)
    links = page.page.locator("#models table.models a")
    expect(links).to_have_count(4)
    expect(page.page.locator("#models-static")).to_be_hidden()
    for name in ("series", "images"):
        page.page.get_by_label(f"compare {name}").uncheck()
    page.page.locator("#models input[type=file]").set_input_files(given(narrows.folder, "table-new.csv"))
    lines = page.page.locator(".compared tbody tr")
    expect(lines).to_have_count(2)
    expect(page.page.locator(".agreement")).to_be_visible()
    expect(lines.first.locator("svg")).to_be_visible()
    shot(page, "models")
    assert page.page.evaluate(UNNAMED) == []
    assert page.page.evaluate(FAINT) == []
    page.check_clean()
    page.page.get_by_label("compare series").check()
    page.page.locator("#models input[type=file]").set_input_files(given(narrows.folder, "table-new.csv"))
    expect(page.page.locator(".compared .refused")).to_have_count(1)
    links.first.click()
    expect(page.page.locator("#explorer")).to_be_visible()


def test_the_policy_lets_nothing_else_run(visit, server):
    with urllib.request.urlopen(f"{server}/models/table") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "connect-src 'self'" in policy
    page = visit(f"{server}/models/table")
    page.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))")
    assert page.page.evaluate("window.ran") is None


def test_open_shows_the_data_at_once(visit, opened):
    page = visit(opened)
    data = page.document("scored-data")
    assert data["rows"]["listed"] == 300
    expect(page.page.locator(".filter-count")).to_contain_text("All 300 rows")
    expect(page.page.locator(".label-panel")).to_be_visible()
    expect(page.page.locator(".drop-zone:not(.bare)")).to_be_visible()
    page.check_clean()
