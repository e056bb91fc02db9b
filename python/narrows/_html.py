"""What notebooks show of a fitted estimator, of an explanation and of a search."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ._explanation import counted, percent
from ._markup import BLUE, ORANGE, bar, card, details, escape, figures, histogram, lines, number, table

if TYPE_CHECKING:
    from ._explanation import Explanation
    from ._tuning import SearchResult

__all__ = ["estimator_html", "explanation_html", "search_html"]

_KINDS = {
    "table": "table",
    "series": "time series",
    "images": "images",
    "restorer": "image restoration",
    "encoder": "encoder",
}
_GRADES = {"good": "✓ good", "check": "! check this", "do_not_use": "✕ do not use"}
_ROWS_SHOWN = 20
_TRIALS_SHOWN = 10
_LARGEST_SHEET = 600_000
"""Bytes of a contact sheet, beyond which it is only in the report."""


def estimator_html(estimator: Any) -> str:
    """An estimator: what it was fitted to, its network, training, scores, threshold and verdict.

    Parameters
    ----------
    estimator : FittedMixin
        Fitted or not.
    """
    name = type(estimator).__name__
    model = estimator.__dict__.get("model_")
    written = f'<p class="soft"><code>{escape(estimator)}</code></p>'
    if model is None:
        return card(name, [written], "not fitted")
    report: dict[str, Any] = estimator.report_
    training = trainings(report)
    parts = [
        _verdict(model.verdict()),
        figures(_figures(model, report)),
        _network(report),
        '<div class="charts">' + _training(training) + _scores(report.get("detection")) + "</div>",
        _columns(report.get("columns") or []),
        _sheet(report),
        _listed("note", report.get("notes") or []),
        _listed("warning", report.get("warnings") or [], is_open=True),
        details("arguments", written),
    ]
    preset = (report.get("recipe") or {}).get("preset")
    soft = f"{_KINDS.get(model.kind, model.kind)}, preset {preset}, narrows {report.get('version', '')}"
    return card(name, parts, soft)


def trainings(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The training of each member; a restorer has one."""
    found = report.get("training") or []
    return [found] if isinstance(found, dict) else list(found)


def rule_words(rule: dict[str, Any]) -> str:
    """The rule of a threshold as it is given, such as ``false_alarm_rate=0.01``."""
    name = str(rule.get("rule", ""))
    values = [value for key, value in rule.items() if key != "rule"]
    return f"{name}={values[0]:g}" if len(values) == 1 and isinstance(values[0], (int, float)) else name


def _verdict(told: str | None) -> str:
    if told is None:
        return ""
    verdict = json.loads(told)
    grade = str(verdict["grade"])
    sentence = str(verdict["sentence"])
    why = sentence.split(": ", 1)[-1]
    return f'<p><span class="grade {escape(grade)}">{escape(_GRADES.get(grade, grade))}</span> {escape(why)}</p>'


def _figures(model: Any, report: dict[str, Any]) -> Iterable[tuple[str, str]]:
    album = (report.get("images") or {}).get("album") or report.get("album")
    rows = report.get("rows") or album
    noun = "images" if album else "rows"
    if rows:
        parts = [(rows.get(part), f"to {verb}") for part, verb in _PARTS]
        split = ", ".join(f"{count:,} {verb}" for count, verb in parts if count)
        yield noun, f"{rows['read']:,} read" + (f": {split}" if split else "")
    series = report.get("series")
    if series:
        channels = len(series.get("channels") or [])
        found = f"{series['n_series']:,}, of {counted(channels, 'channel')}, windows of {series['window']:,} points"
        yield "series", found
    elif album:
        channels, heights, widths = album["channels"], album["heights"], album["widths"]
        yield "size", f"{_range(heights)} x {_range(widths)} pixels, {channels}"
    elif report.get("columns"):
        used = sum(column["role"] == "feature" for column in report["columns"])
        dropped = sum(column["role"] == "dropped" for column in report["columns"])
        compared = sum(column["role"] == "invariant" for column in report["columns"])
        others = (f", {compared:,} that never changed" if compared else "") + (
            f", {dropped:,} dropped" if dropped else ""
        )
        yield "columns", f"{used:,} used{others}"
    detection = report.get("detection")
    if detection:
        yield "threshold", f"{number(model.threshold)} by {rule_words(detection['rule'])}"
        promised = detection.get("promised_rate")
        if promised is not None:
            yield "promised false-alarm rate", f"at most {100 * promised:.2g} %"
    if report.get("damage"):
        yield "removes", str(report["damage"])
    flow, pca = report.get("bottleneck"), report.get("pca")
    if flow:
        other = f" ({_percent(flow['pca_unexplained'])} by PCA of the same size)" if flow.get("pca_unexplained") else ""
        yield "variance unexplained", _percent(flow["unexplained"]) + other
    elif pca:
        yield "error, held out", f"{number(pca['model_error'])} ({number(pca['pca_error'])} by PCA of the same size)"
    quality = report.get("quality")
    if quality and "restored" in quality:
        restored, came, other = (quality[part]["psnr"] for part in ("restored", "input", "baseline"))
        others = f"(corrupted {number(came)} dB, {quality['baseline']['name']} {number(other)} dB)"
        yield "quality, held out", f"{number(restored)} dB {others}"


_PARTS = (("train", "train"), ("validation", "validate"), ("calibration", "calibrate"))


def _range(ends: Sequence[int]) -> str:
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _percent(share: float | None) -> str:
    if share is None:
        return number(None)
    return f"{100 * share:,.0f} %" if 1 <= share < 1e6 else f"{number(100 * share, 3)} %"


def _network(report: dict[str, Any]) -> str:
    network = report.get("network")
    if not network:
        return ""
    if isinstance(network, str):
        return f"<p>{escape(network)}, {counted(report.get('parameters', 0), 'parameter')}</p>"
    layers = network["layers"]
    widths = " → ".join(_width(layer) for layer in layers)
    members = network["members"]
    size = counted(network["parameters"], "parameter") + (" each" if members > 1 else "")
    several = f"{members} networks of " if members > 1 else ""
    words = (
        table(["part", "layer"], [[escape(layer["part"]), escape(layer["words"])] for layer in layers])
        + f"<p>loss: {escape(network['loss'])}</p>"
    )
    return f"<p>{several}<b>{widths}</b></p>" + details(f"{several}{size}", words)


def _width(layer: dict[str, Any]) -> str:
    shape = layer.get("map")
    text = "×".join(str(side) for side in shape) if shape else f"{layer['width']:,}"
    return f'<span style="color:{ORANGE}">{escape(text)}</span>' if layer["part"] == "code" else escape(text)


def _training(members: list[dict[str, Any]]) -> str:
    curves: list[tuple[str, Sequence[tuple[float, float]], str, str]] = []
    mark = None
    for member in members:
        history = member.get("history") or []
        train = [(check["step"], check["train_loss"]) for check in history]
        validation = [(check["step"], check["validation_loss"]) for check in history]
        curves.append(("training", train, "currentColor", "3 3"))
        curves.append(("validation", validation, BLUE, ""))
        best = member.get("best")
        if len(members) == 1 and isinstance(best, int) and best < len(history) and validation[best][1] is not None:
            mark = validation[best]
    steps = max((member.get("steps") or 0 for member in members), default=0)
    stopped = members[0].get("stopped", "") if members else ""
    caption = f"loss by step: training dotted, validation solid; {stopped} after {counted(steps, 'step')}"
    return lines(curves, caption + ("; the dot is what was kept" if mark else ""), "step", mark)


def _scores(detection: dict[str, Any] | None) -> str:
    if not detection or not detection.get("histogram"):
        return ""
    found, bad = detection["histogram"], detection.get("anomalies")
    layers = [(found["counts"], BLUE)] + ([(bad["counts"], ORANGE)] if bad else [])
    caption = f"{counted(sum(found['counts']), 'calibration score')}"
    if bad:
        caption += f" (blue) and {counted(sum(bad['counts']), 'score')} of labelled anomalies (orange)"
    return histogram(found["edges"], layers, detection["threshold"], f"{caption}; dashed: the threshold", "score")


def _columns(columns: list[dict[str, Any]]) -> str:
    if not columns:
        return ""
    rows = []
    for column in sorted(columns, key=lambda column: column["role"] != "feature"):
        quality = column.get("quality")
        known = bar(quality, f"{quality:.2f}") if isinstance(quality, (int, float)) else ""
        missing = f"{column['missing']:,}" if column.get("missing") else ""
        texts = [escape(column[name]) for name in ("name", "kind", "role", "words")]
        rows.append([*texts, missing, known])
    head = ["column", "kind", "role", "preparation", "missing", "reconstructed"]
    dropped = [column["name"] for column in columns if column["role"] == "dropped"]
    without = f"; dropped: {', '.join(dropped[:6])}{', …' if len(dropped) > 6 else ''}" if dropped else ""
    return details(f"{counted(len(columns), 'column')}{without}", table(head, rows, [4]))


def _sheet(report: dict[str, Any]) -> str:
    sheet = (report.get("images") or {}).get("sheet") or report.get("sheet") or ""
    # Base64 has no character that HTML gives a meaning to; what has is no image.
    if not sheet or len(sheet) > _LARGEST_SHEET or not sheet.replace("+", "").replace("/", "").rstrip("=").isalnum():
        return ""
    image = f'<img alt="held-out images and their reconstructions" src="data:image/png;base64,{sheet}">'
    return details("held-out images and their reconstructions", image)


def _listed(noun: str, texts: Sequence[str], is_open: bool = False) -> str:
    if not texts:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return details(counted(len(texts), noun), f"<ul>{items}</ul>", is_open)


def explanation_html(explanation: Explanation) -> str:
    """An explanation: its first rows, with the share of each column as a bar."""
    shown = explanation[:_ROWS_SHOWN]
    scores = shown.scores
    rows: list[list[str]] = []
    firsts = set()
    for i, (label, reasons) in enumerate(zip(shown.rows, shown, strict=True)):
        score = "" if scores is None else escape(number(float(scores[i])))
        firsts.add(len(rows))
        if not reasons:
            rows.append([escape(label), score, '<span class="soft">no score</span>', "", "", ""])
        for rank, reason in enumerate(reasons):
            about = "about " if reason.direction in ("above", "below") else ""
            first = [escape(label), score] if rank == 0 else ["", ""]
            cells = [escape(reason.column), escape(about + reason.expected), escape(reason.got)]
            rows.append([*first, *cells, bar(reason.share, percent(reason.share))])
    head = ["row", "score", "column", "expected", "got", "share"]
    if scores is None:
        head, rows = [head[0], *head[2:]], [[row[0], *row[2:]] for row in rows]
    more = len(explanation) - len(shown)
    rest = f'<p class="soft">{counted(more, "more row")}; all are in <code>.frame</code></p>' if more else ""
    body = table(head, rows, () if scores is None else [1], firsts)
    return card("Explanation", [body, rest], counted(len(explanation), "row"))


def search_html(result: SearchResult) -> str:
    """The result of a search: its best trials, and the error by size of the code."""
    best = result.best
    is_resized = result.trials[best["number"]].get("code_size") != best.get("code_size")
    resized = ", with a size of the code from the curve instead of the trial's" if is_resized else ""
    found = [
        ("best", f"trial {best['number']}, cost {number(best['cost'])}{resized}"),
        ("variance unexplained", _percent(best.get("unexplained"))),
        ("size of the code", number(best.get("code_size"))),
        ("parameters", number(best.get("parameters"))),
        ("held-out samples", number(result.n_held_out)),
    ]
    rows = []
    trials = result.ranked()
    for trial in trials[:_TRIALS_SHOWN]:
        texts = [
            number(trial["number"]),
            number(trial.get("cost")),
            _percent(trial.get("unexplained")),
            number(trial.get("code_size")),
            number(trial.get("parameters")),
            f"{100 * trial['share']:.0f} %",
            number(trial.get("seconds"), 3),
            str(trial.get("error") or ""),
        ]
        rows.append([escape(text) for text in texts])
    head = ["trial", "cost", "unexplained", "code", "parameters", "of the steps", "seconds", "failed"]
    more = len(trials) - len(rows)
    rest = f'<p class="soft">{counted(more, "more trial")} in <code>.trials</code></p>' if more > 0 else ""
    parts = [
        figures(found),
        _code_sizes(result),
        table(head, rows, range(7)),
        rest,
        details("best recipe", f"<pre>{escape(result.recipe.to_toml())}</pre>"),
    ]
    ended = {"finished": "finished", "time": "ended by its time"}.get(result.ended, result.ended)
    return card("SearchResult", parts, f"{counted(len(trials), 'trial')} for {result.goal}, {ended}")


def _code_sizes(result: SearchResult) -> str:
    def points(name: str) -> list[tuple[float, float]]:
        return [(point["code_size"], point[name]) for point in result.curve if point.get(name) is not None]

    own = points("unexplained")
    mark = next((point for point in own if point[0] == result.elbow), None)
    curves = [("model", own, BLUE, ""), ("PCA", points("pca_unexplained"), "currentColor", "3 3")]
    caption = "share of the variance unexplained, by size of the code: model solid, PCA dotted"
    return lines(curves, caption + ("; the dot is the elbow" if mark else ""), "size of the code", mark)
