"""A report as a page: text that a notebook shows as what it is."""

from __future__ import annotations

from html import escape

__all__ = ["Report"]


class Report(str):
    """The HTML of a report, for a file or a browser; a notebook shows it in a frame of its own.

    Examples
    --------
    >>> import narrows, numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> page = narrows.AutoEncoder("deep", max_steps=5).fit(X).report()
    >>> page[:15]
    '<!DOCTYPE html>'
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        # The frame keeps the page's style to the page; without `allow-scripts`, none runs.
        return (
            f'<iframe srcdoc="{escape(self, quote=True)}" sandbox="" title="Report" loading="lazy" '
            'style="width:100%;height:640px;border:1px solid rgba(128,128,128,.4);border-radius:8px"></iframe>'
        )

    def __repr__(self) -> str:
        return f"Report({len(self.encode()) / 1000:,.0f} kB of HTML)"
