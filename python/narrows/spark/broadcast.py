"""Bytes that a Spark application broadcasts to its workers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import _native
from .._partitions.model import HeldModel, digest_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["broadcast_bytes", "broadcast_model"]

_MOST = 16
_BROADCASTS: OrderedDict[tuple[str, str], Any] = OrderedDict()
"""Broadcasts of this driver by application and content, so that a model is sent but once."""


@dataclass(frozen=True)
class _Broadcast:
    """Bytes that the executors have."""

    value: Any

    def __call__(self) -> bytes:
        content: bytes = self.value.value
        return content


@dataclass(frozen=True)
class _Bytes:
    """Bytes that travel with the task, where there is nothing to broadcast with."""

    content: bytes

    def __call__(self) -> bytes:
        return self.content


def broadcast_model(df: DataFrame, model: _native.Model) -> HeldModel:
    """A model for tasks on a DataFrame."""
    content = model.to_bytes()
    digest = digest_of(content)
    return HeldModel(digest, broadcast_bytes(df, content, digest))


def broadcast_bytes(df: DataFrame, content: bytes, digest: str | None = None) -> Callable[[], bytes]:
    """Bytes for tasks on a DataFrame, sent but once; `digest` tells them apart."""
    try:
        context = df.sparkSession.sparkContext
    except Exception:
        # Spark Connect has no context on this side: Spark itself keeps the function, with the bytes, on the server.
        return _Bytes(content)
    key = (context.applicationId, digest_of(content) if digest is None else digest)
    if key not in _BROADCASTS:
        _BROADCASTS[key] = context.broadcast(content)
        while len(_BROADCASTS) > _MOST:
            _BROADCASTS.popitem(last=False)
    _BROADCASTS.move_to_end(key)
    return _Broadcast(_BROADCASTS[key])
