"""The checkpoints of a probe: loaded when first needed, weights put back, few kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mto.errors import DataError
from mto.families import LoadedModel
from mto.tune.weights import Weights

Loader = Callable[[], LoadedModel]
KEEP_BYTES = 2 << 30
"""Loaded checkpoints are kept up to this size together, with the copies of their weights."""


class Checkpoints:
    """Checkpoints by name.

    A `LoadedModel` that was handed in stays the caller's. One that a loader gave is let go when it was not used for
    longest and all together are over `KEEP_BYTES`; it is then loaded again when it is needed again.

    Raises:
        DataError: there are none.
    """

    def __init__(self, models: LoadedModel | Mapping[str, LoadedModel | Loader]) -> None:
        given = {models.ref: models} if isinstance(models, LoadedModel) else dict(models)
        if not given:
            raise DataError("no checkpoint was given", hint="give a loaded model, or several by name")
        self._given = given
        self._loaded: dict[str, LoadedModel] = {}
        self._starts: dict[str, Weights] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """In the order in which they were given."""
        return tuple(self._given)

    def get(self, name: str) -> LoadedModel:
        """The checkpoint, loaded."""
        source = self._given[name]
        if isinstance(source, LoadedModel):
            return source
        found = self._loaded.pop(name, None)
        if found is None:
            self._make_room()
            found = source()
        self._loaded[name] = found  # last is latest
        return found

    def release(self, name: str) -> None:
        """This checkpoint is needed no more."""
        self._loaded.pop(name, None)
        self._starts.pop(name, None)

    @contextmanager
    def borrowed(self, name: str) -> Iterator[LoadedModel]:
        """The checkpoint to be trained; its weights are put back at the end, also after an error."""
        loaded = self.get(name)
        if name not in self._starts:
            self._starts[name] = Weights(loaded.model)
        try:
            yield loaded
        finally:
            self._starts[name].restore()

    def _make_room(self) -> None:
        sizes = {name: _bytes(loaded) * (1 + (name in self._starts)) for name, loaded in self._loaded.items()}
        for name in list(self._loaded):
            if sum(sizes.values()) < KEEP_BYTES:
                return
            del sizes[name]
            self.release(name)


def _bytes(loaded: LoadedModel) -> int:
    return sum(p.numel() * p.element_size() for p in loaded.model.parameters())
