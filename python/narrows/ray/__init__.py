"""Models on Ray: score, explain, encode, reconstruct and compress the rows of a Dataset where they lie.

The model is stored once in Ray's object store and read once by each worker process; rows stream through Arrow, only the
columns that are needed; results are those of ``narrows`` on one machine, bit for bit. Needs ``pip install 'narrows[ray]'``
on the driver and on every worker.

Examples
--------
>>> import narrows, narrows.ray, ray
>>> frame = narrows.datasets.payments(500)
>>> model = narrows.AutoEncoder("deep", max_steps=20, label="is_fraud").fit(frame)
>>> scored = narrows.ray.score(ray.data.from_pandas(frame), model, keep=[])
>>> scored.schema().names
['score', 'p_value', 'is_anomaly']
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._errors import missing_package

if find_spec("ray") is None or find_spec("pyarrow") is None:
    raise missing_package("ray and pyarrow", "narrows.ray", "'narrows[ray]'")

if TYPE_CHECKING:
    from .compression import compress, decompress
    from .fitting import fit
    from .rows import explain, reconstruct, score, transform
    from .tuning import tune

_PLACES = {
    "compress": "compression",
    "decompress": "compression",
    "explain": "rows",
    "fit": "fitting",
    "reconstruct": "rows",
    "score": "rows",
    "transform": "rows",
    "tune": "tuning",
}

__all__ = ["compress", "decompress", "explain", "fit", "reconstruct", "score", "transform", "tune"]


def __getattr__(name: str) -> Any:
    # Workers import their tasks alone.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
