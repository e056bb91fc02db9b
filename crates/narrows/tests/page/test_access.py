"""For everyone: names for screen readers, keys alone, contrast, dark mode, narrow windows, paper."""

import pytest
from conftest import shot
from playwright.sync_api import expect

KINDS = ["table", "series", "images"]

# Controls and images without a name, and ids that stand twice.
UNNAMED = """
() => {
  const named = node => {
    const by = (node.getAttribute("aria-labelledby") ?? "").split(/\\s+/).filter(Boolean)
      .map(id => document.getElementById(id)?.textContent ?? "").join("");
    const label = node.labels?.length ? [...node.labels].map(l => l.textContent).join("") : "";
    return [node.getAttribute("aria-label"), by, label, node.textContent, node.getAttribute("title")].some(t => t?.trim());
  };
  const bad = [];
  const controls = "button, a[href], input:not([type=hidden]), select, [role=img], [tabindex='0'], [role=grid], dialog, canvas";
  for (const node of document.querySelectorAll(controls)) {
    if (node.closest("[hidden]")) continue;
    if (!named(node)) bad.push(node.outerHTML.slice(0, 160));
  }
  for (const image of document.querySelectorAll("img")) if (!image.hasAttribute("alt")) bad.push(image.outerHTML.slice(0, 160));
  const ids = [...document.querySelectorAll("[id]")].filter(n => !n.closest("[hidden]")).map(n => n.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach(id => bad.push(`id ${id} twice`));
  for (const node of document.querySelectorAll("[aria-labelledby],[aria-describedby]")) {
    const ids = `${node.getAttribute("aria-labelledby") ?? ""} ${node.getAttribute("aria-describedby") ?? ""}`.trim().split(/\\s+/);
    ids.filter(id => !document.getElementById(id)).forEach(id => bad.push(`no element has the id ${id}`));
  }
  return bad;
}
"""

# Texts whose contrast is below that of WCAG 2.2 AA: 4.5, or 3 for large ones. Disabled controls are exempt there.
FAINT = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => a.slice(0, 3).map((v, i) => v * a[3] + b[i] * (1 - a[3]));
  const light = c => { const f = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
  const behind = node => {
    const layers = [];
    for (let n = node; n; n = n.parentElement) layers.push(rgba(getComputedStyle(n).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const bad = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || node.closest("script,style,noscript,[hidden],[aria-hidden=true],.visually-hidden,:disabled,option")) continue;
    if (!node.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(node), isSvg = node instanceof SVGElement;
    const colour = rgba(isSvg ? style.fill : style.color), ground = behind(node);
    const [a, b] = [light(over(colour, ground)), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 600);
    if (ratio < (isLarge ? 3 : 4.5)) bad.add(`${ratio.toFixed(2)}: ${node.tagName}.${node.getAttribute("class") ?? ""} "${walk.currentNode.textContent.trim().slice(0, 30)}"`);
  }
  return [...bad];
}
"""


@pytest.mark.parametrize("kind", KINDS)
def test_everything_has_a_name(visit, request, kind):
    page = visit(request.getfixturevalue(kind))
    expect(page.page.locator(".row-grid")).to_be_visible()
    assert page.page.evaluate(UNNAMED) == []
    if kind == "table":
        page.page.locator(".grid-body .cell-score").first.click()
        assert page.page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_contrast_is_that_of_aa(visit, request, kind, scheme):
    page = visit(request.getfixturevalue(kind), color_scheme=scheme)
    expect(page.page.locator(".row-grid")).to_be_visible()
    page.slide(0.4)
    page.page.locator(".grid-body .pick").first.click()
    assert page.page.evaluate(FAINT) == []
    shot(page, f"{kind}-{scheme}")
    page.page.locator(".grid-body .cell-score").first.click()
    assert page.page.evaluate(FAINT) == []


def test_dark_mode_is_dark(visit, table):
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit(table, color_scheme=scheme).page.evaluate(ground) for scheme in ("light", "dark"))
    assert light != dark and max(int(v) for v in dark[4:-1].split(",")) < 60


@pytest.mark.parametrize("kind", KINDS)
def test_360_pixels_are_wide_enough(visit, request, kind):
    page = visit(request.getfixturevalue(kind), size=(360, 740), has_touch=True)
    expect(page.page.locator(".row-grid")).to_be_visible()
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, f"{kind}-narrow")
    page.page.locator(".grid-body .cell-score").first.click()
    dialog = page.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_walk_by_keys_alone(visit, table):
    page = visit(table)
    keys = page.page.keyboard
    active = "document.activeElement"
    for _ in range(200):
        keys.press("Tab")
        if page.page.evaluate(f"{active}.closest('.grid-body') !== null"):
            break
    else:
        raise AssertionError("Tab never comes to the rows")
    row = f"{active}.closest('.grid-row').getAttribute('aria-rowindex')"
    assert page.page.evaluate(row) == "2"
    for key, index in [("ArrowDown", "3"), ("PageDown", None), ("Control+End", "301"), ("Control+Home", "2"), ("ArrowUp", "2")]:
        keys.press(key)
        found = page.page.evaluate(row)
        assert found == index or index is None and int(found) > 3, key
    column = f"{active}.getAttribute('aria-colindex')"
    keys.press("Home")
    assert page.page.evaluate(column) == "1"
    keys.press("ArrowRight")
    assert page.page.evaluate(column) == "2"
    keys.press("Space")
    expect(page.page.locator(".grid-body [aria-selected=true]")).to_have_count(1)
    keys.press("ArrowDown")
    keys.press("Enter")
    dialog = page.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert page.page.evaluate(f"{active}.closest('dialog') !== null")
    keys.press("Alt+ArrowDown")
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    # The focus comes back to the row that was shown last.
    assert page.page.evaluate(row) == "4"


def test_counts_are_announced(visit, table):
    page = visit(table)
    page.page.get_by_label("flagged only").check()
    said = page.page.locator("#explored > [role=status]")
    expect(said).to_contain_text("of 300 rows")


def test_motion_is_reduced_where_it_is_asked(visit, table):
    page = visit(table, reduced_motion="reduce")
    page.page.locator(".grid-body .cell-score").first.click()
    assert page.page.get_by_role("dialog").evaluate("dialog => getComputedStyle(dialog).animationName") == "none"


def test_paper_gets_the_first_rows(visit, table):
    page = visit(table)
    page.page.get_by_label("flagged only").check()
    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.page.emulate_media(media="print")
    paper = page.page.locator(".paper")
    expect(paper).to_be_visible()
    n = page.shown()
    expect(paper.locator("tbody tr")).to_have_count(min(40, n))
    expect(page.page.locator(".row-grid")).to_be_hidden()
    shot(page, "print")


def test_without_scripts_the_page_still_tells(visit, table):
    page = visit(table, java_script_enabled=False)
    expect(page.page.locator("#new-data-static")).to_be_visible()
    expect(page.page.locator("#new-data-static .fit-verdict")).to_be_visible()
