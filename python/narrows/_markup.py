"""Pieces of HTML for notebooks: a card, tables, figures, small charts as SVG.

All text passes through `escape`; nothing is loaded, no script runs. Text and lines take the notebook's own colour, and the
two accents are readable on white and on black, so that a card suits light and dark themes alike.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from html import escape as html_escape

__all__ = ["BLUE", "ORANGE", "bar", "card", "details", "escape", "figures", "histogram", "lines", "number", "table"]

BLUE = "#3b82c4"
ORANGE = "#d9691f"
_WIDTH, _HEIGHT = 340, 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 32

_STYLE = (
    ".narrows-card{font:13px/1.45 system-ui,sans-serif;max-width:62em;border:1px solid rgba(128,128,128,.4);"
    "border-radius:8px;padding:.8em 1.1em;color:inherit;font-variant-numeric:tabular-nums}"
    ".narrows-card h4{font-size:1.1em;font-weight:600;margin:0 0 .3em;color:inherit}"
    ".narrows-card p{margin:.3em 0}"
    ".narrows-card .soft{opacity:.72}"
    ".narrows-card .figures{display:flex;flex-wrap:wrap;gap:.5em 2.2em;margin:.7em 0}"
    ".narrows-card .figures div{max-width:28em}"
    ".narrows-card .figures span{display:block;opacity:.72;font-size:.9em}"
    ".narrows-card .charts{display:flex;flex-wrap:wrap;gap:.5em 1.5em}"
    ".narrows-card figure{margin:.4em 0}.narrows-card figcaption{font-size:.9em;opacity:.8;max-width:340px}"
    ".narrows-card svg{display:block;max-width:100%;overflow:visible}"
    ".narrows-card svg text{font:11px system-ui,sans-serif;fill:currentColor}"
    ".narrows-card table{border-collapse:collapse;font-size:inherit;margin:.3em 0;background:none;color:inherit}"
    ".narrows-card tr{background:none!important}"
    ".narrows-card th,.narrows-card td{text-align:left;padding:.15em .9em .15em 0;border:0;vertical-align:top;color:inherit}"
    ".narrows-card th{font-weight:600;border-bottom:1px solid rgba(128,128,128,.4)}"
    ".narrows-card td.number,.narrows-card th.number{text-align:right}"
    ".narrows-card tr.first td{border-top:1px solid rgba(128,128,128,.25)}"
    ".narrows-card details{margin:.35em 0}.narrows-card summary{cursor:pointer}"
    ".narrows-card ul{margin:.2em 0;padding-left:1.3em}"
    ".narrows-card .bar{display:inline-block;width:7em;height:.7em;background:rgba(128,128,128,.22);margin-right:.5em}"
    f".narrows-card .bar i{{display:block;height:100%;background:{BLUE}}}"
    ".narrows-card .nowrap{white-space:nowrap}"
    ".narrows-card .grade{display:inline-block;border-radius:1em;padding:0 .7em;font-weight:600;border:1px solid}"
    f".narrows-card .good{{color:{BLUE}}}.narrows-card .check,.narrows-card .do_not_use{{color:{ORANGE}}}"
    ".narrows-card img{max-width:100%;background:#fff}"
)


def escape(text: object) -> str:
    """Text for HTML, quotes included."""
    return html_escape(str(text), quote=True)


def number(value: float | int | None, digits: int = 4) -> str:
    """A number as it is shown; a dash if there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return "∞" if math.isinf(value) else f"{value:.{digits}g}"


def card(title: str, parts: Iterable[str], soft: str = "") -> str:
    """The whole: a title, a remark beside it, and parts that are HTML already."""
    remark = f' <span class="soft">{escape(soft)}</span>' if soft else ""
    body = "".join(part for part in parts if part)
    return f'<div class="narrows-card"><style>{_STYLE}</style><h4>{escape(title)}{remark}</h4>{body}</div>'


def figures(pairs: Iterable[tuple[str, str]]) -> str:
    """Names with short values."""
    cells = "".join(f"<div><span>{escape(name)}</span>{escape(value)}</div>" for name, value in pairs if value)
    return f'<div class="figures">{cells}</div>'


def details(summary: str, body: str, is_open: bool = False) -> str:
    """What opens on a click; `body` is HTML."""
    return f"<details{' open' if is_open else ''}><summary>{escape(summary)}</summary>{body}</details>"


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Container[int] = (), firsts: Container[int] = ()
) -> str:
    """A table; cells are HTML already.

    `numbers` are columns that stand to the right, `firsts` rows with a rule above.
    """

    def style(i: int) -> str:
        return ' class="number"' if i in numbers else ""

    top = "".join(f"<th{style(i)}>{escape(name)}</th>" for i, name in enumerate(head))
    body = "".join(
        ('<tr class="first">' if j in firsts else "<tr>")
        + "".join(f"<td{style(i)}>{cell}</td>" for i, cell in enumerate(row))
        + "</tr>"
        for j, row in enumerate(rows)
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def bar(share: float, words: str) -> str:
    """A share in [0, 1] as a bar, with what it says."""
    width = 100 * min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0
    return f'<span class="nowrap"><span class="bar"><i style="width:{width:.1f}%"></i></span>{escape(words)}</span>'


def lines(
    curves: Sequence[tuple[str, Sequence[tuple[float, float]], str, str]],
    caption: str,
    x_name: str,
    mark: tuple[float, float] | None = None,
) -> str:
    """Curves over a logarithmic height.

    Parameters
    ----------
    curves : sequence of (name, points, colour, dashes)
        Points that are not finite and positive are passed over.
    caption : str
        What is told below.
    x_name : str
        What the horizontal axis measures.
    mark : (x, y), optional
        A point to mark with a dot.
    """
    shown = [(name, _drawable(points), colour, dashes) for name, points, colour, dashes in curves]
    points = [point for _, drawn, _, _ in shown for point in drawn]
    if not points:
        return ""
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    across = _scale(left, right, _LEFT, _WIDTH - _RIGHT)
    up = _scale(math.log(low), math.log(high), _HEIGHT - _BOTTOM, _TOP)
    drawn = []
    for _, part, colour, dashes in shown:
        path = " ".join(f"{across(x):.1f},{up(math.log(y)):.1f}" for x, y in _thinned(part))
        style = f' stroke-dasharray="{dashes}"' if dashes else ""
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{style}/>')
    if mark is not None and mark[1] > 0:
        drawn.append(f'<circle cx="{across(mark[0]):.1f}" cy="{up(math.log(mark[1])):.1f}" r="3.5" fill="{ORANGE}"/>')
    ticks = [(up(math.log(y)), number(y, 3)) for y in ((low,) if low == high else (low, high))]
    axis = [(across(x), number(x, 6)) for x in ((left,) if left == right else (left, right))]
    return _chart("".join(drawn), ticks, axis, x_name, caption)


def histogram(
    edges: Sequence[float],
    layers: Sequence[tuple[Sequence[int], str]],
    threshold: float | None,
    caption: str,
    x_name: str,
) -> str:
    """Counts over logarithmic edges, one or two layers, with a threshold as a dashed line."""
    if len(edges) < 2 or edges[0] <= 0:
        return ""
    has_line = threshold is not None and math.isfinite(threshold) and threshold > 0
    low, high = edges[0], max(edges[-1], threshold if has_line and threshold is not None else 0.0)
    across = _scale(math.log(low), math.log(high), _LEFT, _WIDTH - _RIGHT)
    base = _HEIGHT - _BOTTOM
    most = max((max(counts, default=0) for counts, _ in layers), default=0) or 1
    drawn = []
    for i, (counts, colour) in enumerate(layers):
        steps = []
        for count, first, last in zip(counts, edges[:-1], edges[1:], strict=True):
            x, width = across(math.log(first)), max(across(math.log(last)) - across(math.log(first)), 0.5)
            height = (base - _TOP) * count / most
            if count:
                steps.append(f'<rect x="{x:.1f}" y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}"/>')
        opacity = "0.85" if i == 0 else "0.65"
        drawn.append(f'<g fill="{colour}" fill-opacity="{opacity}">{"".join(steps)}</g>')
    axis = [(across(math.log(x)), number(x, 2)) for x in (edges[0], high)]
    if has_line and threshold is not None:
        x = across(math.log(threshold))
        drawn.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{base}" stroke="{ORANGE}" stroke-width="1.6" '
            'stroke-dasharray="5 3"/>'
        )
    return _chart("".join(drawn), [(base, "0"), (_TOP, f"{most:,}")], axis, x_name, caption)


def _drawable(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if y is not None and math.isfinite(y) and y > 0]


def _thinned(points: list[tuple[float, float]], most: int = 200) -> list[tuple[float, float]]:
    """At most so many points, the last among them."""
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(i * step)] for i in range(most)]


class _Scale:
    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._span = low, high - low
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        place = (value - self._low) / self._span if self._span > 0 else 0.5
        return self._start + place * (self._end - self._start)


def _scale(low: float, high: float, start: float, end: float) -> _Scale:
    return _Scale(low, high, start, end)


def _chart(
    drawn: str, ticks: Iterable[tuple[float, str]], axis: Sequence[tuple[float, str]], x_name: str, caption: str
) -> str:
    base = _HEIGHT - _BOTTOM
    left = "".join(
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>' for y, text in ticks
    )
    ends = ("start", "end") if len(axis) > 1 else ("middle",)
    below = "".join(
        f'<text x="{x:.1f}" y="{base + 14}" text-anchor="{end}">{escape(text)}</text>'
        for (x, text), end in zip(axis, ends, strict=True)
    )
    name = f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{base + 27}" text-anchor="middle">{escape(x_name)}</text>'
    rule = f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{base}" y2="{base}" stroke="currentColor" stroke-opacity="0.4"/>'
    svg = (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(caption)}">{drawn}{rule}{left}{below}{name}</svg>'
    )
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"
