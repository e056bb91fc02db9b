"""Bytes in Ray's object store."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import ray

from .. import _native
from .._partitions.model import HeldModel, digest_of

__all__ = ["Stored", "stored_model"]

_MOST = 16
_REFS: OrderedDict[tuple[str, str], Any] = OrderedDict()
"""References of this driver by job and content, so that a model is stored but once."""


@dataclass(frozen=True)
class Stored:
    """Bytes in the store."""

    ref: Any

    def __call__(self) -> bytes:
        content: bytes = ray.get(self.ref)
        return content


def stored_model(model: _native.Model, threads: int | None) -> HeldModel:
    """A model for tasks that have so many cores."""
    if not ray.is_initialized():
        ray.init()
    content = model.to_bytes()
    digest = digest_of(content)
    key = (ray.get_runtime_context().get_job_id(), digest)
    if key not in _REFS:
        _REFS[key] = ray.put(content)
        while len(_REFS) > _MOST:
            _REFS.popitem(last=False)
    _REFS.move_to_end(key)
    return HeldModel(digest, Stored(_REFS[key]), threads)
