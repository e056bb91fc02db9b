"""Arguments that both engines check alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._recipe import words

__all__ = ["check_reason_form", "kept_of_windows", "reasons_of"]

_FORMS = ("text", "columns", "objects")


def reasons_of(explain: Any) -> int:
    """A number of reasons, which may be none.

    Raises
    ------
    ValueError
        If it is no such number.
    """
    if isinstance(explain, bool) or not isinstance(explain, (int, np.integer)) or explain < 0:
        raise ValueError(f"explain: expected a number of reasons, 0 or more, got {explain!r}")
    return int(explain)


def check_reason_form(form: str) -> None:
    """Checks the form of reasons.

    Raises
    ------
    ValueError
        If there is no such form.
    """
    if form not in _FORMS:
        raise ValueError(f"reason_form: expected one of {', '.join(_FORMS)}, got {form!r}")


def kept_of_windows(keep: str | Sequence[str] | None) -> list[str]:
    """What is kept beside the codes of windows: nothing.

    Raises
    ------
    ValueError
        If something is to be.
    """
    if words(keep, "keep"):
        raise ValueError(
            f"keep: expected none for a model of series, whose codes are those of windows and not of rows, got {keep!r}; "
            "the columns that tell series apart and the time are there anyway"
        )
    return []
