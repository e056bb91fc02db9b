"""Tests of the interactive pages in a real browser.

    NARROWS_BIN=target/debug/narrows python -m pytest crates/narrows/tests/page

`NARROWS_BIN` is the command under test; it makes every page here, from data that the tests write. The browser is the
system's Chromium, or `NARROWS_CHROMIUM`. `NARROWS_SHOTS` names a folder for screenshots, to be looked at.
"""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest
import samples
from playwright.sync_api import expect, sync_playwright

CHROMIUM = os.environ.get("NARROWS_CHROMIUM", "/usr/bin/chromium")
# Without these, the browser asks hosts of its maker for updates.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUICK = ["--preset", "simple", "--set", "train.steps=60"]
# A debug build fits and scores within this; a hang does not pass it.
COMMAND_SECONDS = 300
START_SECONDS = 60
# What is waited for comes at once, but for machines that have much else to do.
expect.set_options(timeout=40_000)

WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", event => window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("NARROWS_BIN")
    if not path:
        pytest.skip("NARROWS_BIN names no command")
    return str(Path(path).resolve())


@pytest.fixture(scope="session")
def narrows(binary, tmp_path_factory):
    """Runs the command in a folder of its own; gives its output."""
    folder = tmp_path_factory.mktemp("pages")

    def run(*words):
        ran = subprocess.run([binary, *words], cwd=folder, capture_output=True, text=True, timeout=COMMAND_SECONDS)
        assert ran.returncode == 0, f"narrows {' '.join(words)}: {ran.returncode}\n{ran.stderr}"
        return ran.stdout

    run.folder = folder
    return run


def page_of(narrows, name, train, new, fit=(), report=()):
    """Fits a model `NAME.narrows` and writes the report `NAME.html`; gives its address."""
    folder = narrows.folder
    (folder / f"{name}-train.csv").write_text(train)
    (folder / f"{name}-new.csv").write_text(new)
    narrows("fit", f"{name}-train.csv", "-o", f"{name}.narrows", *QUICK, *fit)
    narrows("report", f"{name}.narrows", f"{name}-new.csv", "-o", f"{name}.html", *report)
    return (folder / f"{name}.html").as_uri()


@pytest.fixture(scope="session")
def table(narrows):
    """A report of 300 rows, 12 of them labelled as anomalies."""
    train = samples.payments(700, 1)
    new = samples.payments(300, 2, anomalies=12)
    return page_of(narrows, "table", train, new, ["--ignore", "is_fraud"], ["--label", "is_fraud", "--normal", "0"])


@pytest.fixture(scope="session")
def hostile(narrows):
    return page_of(narrows, "hostile", samples.hostile(400, 3).replace("</script>", "c"), samples.hostile(80, 4))


@pytest.fixture(scope="session")
def series(narrows):
    flags = ["--kind", "series", "--time", "time", "--id", "engine", "--set", "data.window=12"]
    return page_of(narrows, "series", samples.engines(600, 5), samples.engines(400, 6, is_broken=True), flags)


@pytest.fixture(scope="session")
def images(narrows):
    folder = narrows.folder
    for kind, n in (("clean", 60), ("parts", 30)):
        (folder / kind).mkdir(exist_ok=True)
        for i in range(n):
            is_broken = kind == "parts" and i % 10 == 4
            (folder / kind / f"part{i:02}.png").write_bytes(samples.stripes(1000 * n + i, is_broken))
    small = ["--set", "backbone.channels=[4,8]", "--set", "backbone.code_size=4", "--set", "train.epochs=2"]
    narrows("fit", "clean", "-o", "images.narrows", *small)
    narrows("report", "images.narrows", "parts", "-o", "images.html")
    return (folder / "images.html").as_uri()


class Server:
    """A running `narrows serve` or `narrows open`."""

    def __init__(self, binary, folder, *words):
        self.lines = []
        self.process = subprocess.Popen(
            [binary, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        threading.Thread(target=self.read, daemon=True).start()
        self.address = self.wait_for(r"http://127\.0\.0\.1:\d+[^\s\"]*")

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def wait_for(self, pattern):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            found = re.search(pattern, "".join(self.lines))
            if found:
                return found[0]
            assert self.process.poll() is None, "".join(self.lines)
            time.sleep(0.05)
        raise AssertionError(f"no {pattern} in:\n{''.join(self.lines)}")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=40)


@pytest.fixture(scope="session")
def server(binary, narrows, table, series, images):
    """The models of the other fixtures, served; gives the address."""
    served = narrows.folder / "served"
    served.mkdir(exist_ok=True)
    for name in ("table", "series", "images"):
        (served / f"{name}.narrows").write_bytes((narrows.folder / f"{name}.narrows").read_bytes())
    narrows("fit", "table-train.csv", "-o", "served/other.narrows", *QUICK, "--ignore", "is_fraud,hour", "--seed", "9")
    running = Server(binary, narrows.folder, "serve", "served", "--port", "0", "--json")
    yield running.address
    running.stop()


@pytest.fixture(scope="session")
def opened(binary, narrows, table):
    """`narrows open` with labelled data; gives the address of the page."""
    words = ["open", "table.narrows", "table-new.csv", "--label", "is_fraud", "--normal", "0", "--no-browser", "--json"]
    running = Server(binary, narrows.folder, *words)
    yield running.address
    running.stop()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


class Visit:
    """A page with what went on in it."""

    def __init__(self, page, address):
        self.page = page
        self.address = address
        self.requests, self.errors, self.dialogs = [], [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self.dismiss)
        page.add_init_script(WATCH)
        page.goto(address)

    def dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def check_clean(self):
        """Nothing came from elsewhere, no policy was broken, no error was thrown."""
        origin = re.match(r"(file://|http://[^/]+)", self.address)[0]
        elsewhere = [
            url for url in self.requests if not url.startswith((origin, "data:", "blob:")) or url.count("file://") > 1
        ]
        assert elsewhere == []
        if origin == "file://":
            asked = [url for url in self.requests if url.startswith("file://")]
            assert {url.split("#")[0] for url in asked} == {self.address.split("#")[0]}
        assert self.page.evaluate("window.violations") == []
        assert self.errors == [] and self.dialogs == []

    def document(self, name):
        """A document that the page was made with."""
        return json.loads(self.page.locator(f"script#{name}").text_content())

    def tile(self, panel, name):
        """The number of a tile."""
        tile = self.page.locator(f".{panel} .tiles > div", has=self.page.get_by_text(name, exact=True))
        return tile.locator("b").inner_text().replace("\u00a0", " ")

    def shown(self):
        """How many rows pass the filter."""
        return int(self.page.locator(".row-grid").get_attribute("aria-rowcount")) - 1

    def cells(self, key):
        """The cells of a column, in the order of the rows that are in the document."""
        return self.page.locator(f".grid-body .cell-{key}").all_inner_texts()

    def slide(self, share):
        """Moves the slider to a share of its way, as a pointer does."""
        self.page.locator(".threshold-slider").evaluate(
            "(slider, share) => { slider.value = share * slider.max; slider.dispatchEvent(new Event('input')); }", share
        )


@pytest.fixture
def visit(browser):
    """Opens an address in a window of its own; `size`, and what `browser.new_context` takes."""
    contexts = []

    def open_page(address, size=(1240, 900), **settings):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **settings)
        context.set_default_timeout(40_000)
        contexts.append(context)
        return Visit(context.new_page(), address)

    yield open_page
    for context in contexts:
        context.close()


def shot(visit, name, full_page=True):
    """A screenshot for people, where one is asked for."""
    folder = os.environ.get("NARROWS_SHOTS")
    if folder:
        visit.page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)
