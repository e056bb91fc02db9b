"""A model on many workers: its bytes are shared once by the engine, and each process reads them once."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .. import _native

__all__ = ["HeldModel", "digest_of"]

_MOST_MODELS = 4
"""Models that a process keeps, so that jobs over many of them do not fill its memory."""
_MODELS: OrderedDict[tuple[str, int | None], _native.Model] = OrderedDict()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class HeldModel:
    """A model that the engine holds; small when it is sent to a worker."""

    digest: str
    source: Callable[[], bytes]
    """Gets the bytes from the engine."""
    threads: int | None = 1
    """Those of one task: an engine runs as many tasks as there are cores."""

    def get(self) -> _native.Model:
        """The model of this process, read at its first use."""
        key = (self.digest, self.threads)
        with _LOCK:
            model = _MODELS.get(key)
            if model is None:
                model = _MODELS[key] = _native.Model.from_bytes(self.source()).with_threads(self.threads)
                while len(_MODELS) > _MOST_MODELS:
                    _MODELS.popitem(last=False)
            _MODELS.move_to_end(key)
            return model


def digest_of(content: bytes) -> str:
    """What tells models apart."""
    return hashlib.sha256(content).hexdigest()
