"""Plots of models and of what they find, by matplotlib.

Every function draws into ``ax``, or into axes of a new figure, and returns the axes. Blue is ordinary or as given, vermilion
anomalous, and a reconstruction is dashed: colours that those tell apart, too, who do not see red or green.

Examples
--------
>>> import numpy as np, narrows
>>> X = np.random.default_rng(0).normal(size=(300, 3))
>>> model = narrows.AutoEncoder("deep", max_steps=30).fit(X)
>>> ax = narrows.plot.scores(model, X)
>>> ax.get_xlabel()
'score (1 is typical)'
"""

from __future__ import annotations

from ._codes import code_map
from ._events import events
from ._explained import explanation
from ._histogram import scores
from ._history import training
from ._rebuilt import reconstruction

__all__ = ["code_map", "events", "explanation", "reconstruction", "scores", "training"]
