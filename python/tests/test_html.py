"""What notebooks show: the values of the model are there, all text is escaped, nothing is loaded, no script runs."""

import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import narrows
from narrows import AutoEncoder, ImageAutoEncoder, ImageRestorer, SeriesAutoEncoder
from narrows._html import estimator_html, rule_words
from narrows._markup import escape, histogram, lines, number, table

pytestmark = pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")
EVIL = "<script>alert('x')</script>\"&"
VOID = {"img", "circle", "line", "rect", "polyline", "br"}


class Page(HTMLParser):
    """The tags, the text and the outward references of a page, which must be balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def checked(html: str) -> Page:
    page = Page(html)
    assert "script" not in page.tags
    assert not [link for link in page.links if not link.startswith("data:image/png;base64,")]
    assert "@import" not in html
    assert "url(" not in html
    return page


@pytest.fixture(scope="module")
def frame() -> Any:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    size = rng.normal(10, 2, 300)
    bad = (rng.random(300) < 0.05).astype(int)
    double = np.where(bad, 60.0, 2 * size)
    return pandas.DataFrame({"size": size, "double": double, EVIL: rng.normal(size=300), "same": 1, "bad": bad})


@pytest.fixture(scope="module")
def model(frame: Any) -> AutoEncoder:
    return AutoEncoder("deep", max_steps=60, label="bad").fit(frame)


def test_a_fitted_model_tells_what_it_was_fitted_to(model: AutoEncoder) -> None:
    page = checked(model._repr_html_())
    rows = model.report_["rows"]
    assert f"300 read: {rows['train']} to train, {rows['validation']} to validate" in page.text
    assert "3 used, 1 that never changed" in page.text
    assert "table, preset deep" in page.text
    assert f"{model.threshold_:.4g} by false_alarm_rate=0.01" in page.text
    assert f"at most {100 * model.report_['detection']['promised_rate']:.2g} %" in page.text


def test_it_shows_the_network_from_input_to_output(model: AutoEncoder) -> None:
    widths = [f"{layer['width']:,}" for layer in model.report_["network"]["layers"]]
    page = checked(model._repr_html_())
    assert " → ".join(widths) in page.text.replace(" →  ", " → ").replace("  ", " ")
    assert f"{model.report_['network']['parameters']:,} parameters" in page.text


def test_it_gives_the_verdict_with_its_reasons(model: AutoEncoder) -> None:
    told = model.model_.verdict()
    assert told is not None
    verdict = json.loads(told)
    page = checked(model._repr_html_())
    words = {"good": "✓ good", "check": "! check this", "do_not_use": "✕ do not use"}
    assert words[verdict["grade"]] in page.text
    assert verdict["sentence"].split(": ", 1)[1] in page.text


def test_it_draws_training_and_scores(model: AutoEncoder) -> None:
    html = model._repr_html_()
    page = checked(html)
    assert page.tags.count("svg") == 2
    assert page.tags.count("polyline") == 2
    detection = model.report_["detection"]
    filled = sum(count > 0 for part in ("histogram", "anomalies") for count in detection[part]["counts"])
    assert page.tags.count("rect") == filled
    assert f"{sum(detection['histogram']['counts'])} calibration scores" in page.text
    assert f"{sum(detection['anomalies']['counts'])} scores of labelled anomalies" in page.text


def test_names_and_notes_are_escaped(model: AutoEncoder) -> None:
    html = model._repr_html_()
    assert EVIL not in html
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;" in html
    assert EVIL in checked(html).text


def test_a_model_that_is_not_fitted_shows_its_arguments() -> None:
    page = checked(AutoEncoder("deep", columns=EVIL)._repr_html_())
    assert "AutoEncoder not fitted" in page.text
    assert "<script>" in page.text
    assert "svg" not in page.tags


def test_an_ensemble_says_how_many(frame: Any) -> None:
    model = AutoEncoder(max_steps=5).fit(frame[["size", "double"]])
    page = checked(model._repr_html_())
    assert "2 networks of" in page.text
    assert page.tags.count("polyline") == 4


def test_series_tell_their_windows() -> None:
    wave = np.sin(np.arange(400) / 5)
    page = checked(SeriesAutoEncoder("simple", window=32, max_steps=10).fit(wave)._repr_html_())
    assert "1, of 1 channel, windows of 32 points" in page.text
    assert "time series, preset simple" in page.text


def test_images_show_reconstructions() -> None:
    parts = narrows.datasets.parts(n_train=24, n_test=2)
    page = checked(ImageAutoEncoder("conv", code_size=4, max_steps=4).fit(parts.train)._repr_html_())
    assert "64 x 64 pixels, grey" in page.text
    assert "64×64×1 →" in page.text
    assert "img" in page.tags


def test_restorers_tell_what_they_remove() -> None:
    model = ImageRestorer("gaussian:25", max_steps=3).fit(narrows.datasets.scenes(8))
    page = checked(model._repr_html_())
    assert "image restoration" in page.text
    assert "removes gaussian" in page.text
    assert " dB (corrupted " in page.text
    assert page.tags.count("svg") == 1


def test_an_explanation_has_bars_of_the_shares(model: AutoEncoder, frame: Any) -> None:
    explained = model.explain(frame.iloc[:25], top=2)
    html = explained._repr_html_()
    page = checked(html)
    widths = [f'style="width:{100 * reason.share:.1f}%"' for reasons in explained[:20] for reason in reasons]
    assert [part for part in widths if part not in html] == []
    assert page.tags.count("i") == 40
    assert "5 more rows; all are in .frame" in page.text
    assert EVIL not in html


def test_cells_of_an_explanation_are_escaped() -> None:
    pandas = pytest.importorskip("pandas")
    words = [EVIL, "plain"] * 40
    frame = pandas.DataFrame({"a": np.arange(80.0) % 7, "b": words}, index=[EVIL + str(i) for i in range(80)])
    html = AutoEncoder("simple", max_steps=5).fit(frame).explain(frame.iloc[:2], top=2)._repr_html_()
    assert EVIL in checked(html).text
    assert EVIL not in html


def test_a_search_shows_its_best_trials(frame: Any) -> None:
    found = narrows.tune(frame, trials=2, label="bad", max_steps=10)
    page = checked(found._repr_html_())
    assert f"2 trials for {found.goal}, finished" in page.text
    assert f"trial {found.best['number']}, cost {found.best['cost']:.4g}" in page.text
    assert page.tags.count("tr") == 3
    assert "preset = " in page.text


def test_a_report_is_shown_in_a_frame_without_scripts(model: AutoEncoder) -> None:
    report = model.report()
    assert isinstance(report, str)
    assert report.lower().startswith("<!doctype html>")
    html = report._repr_html_()
    frame = ET.fromstring(html)
    assert frame.tag == "iframe"
    assert frame.get("sandbox") == ""
    assert " ".join((frame.get("srcdoc") or "").split()) == " ".join(report.split())
    assert repr(report) == f"Report({len(report.encode()) / 1000:,.0f} kB of HTML)"


def test_colours_come_from_the_notebook(model: AutoEncoder) -> None:
    html = estimator_html(model)
    assert "color:inherit" in html
    assert "currentColor" in html
    assert "background:#fff" not in html.replace("img{max-width:100%;background:#fff}", "")


def test_numbers_are_written_shortly() -> None:
    assert [number(value) for value in (None, float("nan"), float("inf"), 1234567, 0.000123456)] == [
        "–",
        "–",
        "∞",
        "1,234,567",
        "0.0001235",
    ]
    assert rule_words({"rule": "false_alarm_rate", "rate": 0.01}) == "false_alarm_rate=0.01"
    assert rule_words({"rule": "sigma"}) == "sigma"


def test_curves_pass_over_what_has_no_logarithm() -> None:
    points = [(1.0, 1.0), (2.0, float("nan")), (3.0, 0.0), (4.0, 0.1)]
    html = lines([("loss", points, "blue", "")], "caption", "step")
    path = html.split('points="')[1].split('"')[0]
    assert len(path.split()) == 2
    assert lines([("loss", [(1.0, float("nan"))], "blue", "")], "caption", "step") == ""


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    html = lines([("loss", [(float(i), 1.0 + i) for i in range(5000)], "blue", "")], "caption", "step")
    path = html.split('points="')[1].split('"')[0].split()
    assert len(path) == 200
    assert path[-1].startswith("332.0,")


def test_the_threshold_is_drawn_where_it_is() -> None:
    edges = [1.0, 10.0, 100.0]
    html = histogram(edges, [([3, 1], "blue")], 10.0, "caption", "score")
    line = html.split('stroke-dasharray="5 3"')[0].rsplit('x1="', 1)[1].split('"')[0]
    assert float(line) == pytest.approx((44 + 332) / 2, abs=0.1)
    assert "5 3" not in histogram(edges, [([3, 1], "blue")], float("inf"), "caption", "score")


def test_tables_escape_their_heads() -> None:
    assert escape(EVIL) in table([EVIL], [["cell"]])
