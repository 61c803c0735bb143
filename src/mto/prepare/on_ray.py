"""The same units of work through Ray Data, on this machine or on a cluster whose machines all see the folders."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from mto.errors import DataError, MtoError, RunError, error_from_json, error_json
from mto.prepare.work import Bench, Unit, keep_little

_STARTS = 3
"""Tries to start Ray on this machine; it gives itself 30 seconds, which a busy machine may exceed."""


class RayEngine:
    """Does units as rows of a Ray data set, one actor of one core a worker.

    Args:
        folder: of the prepared data, at the same path on every machine.
        address: of a cluster; None: Ray is started on this machine, and ends with the preparation.
        workers: actors; None: as many as the cluster has cores.

    Raises:
        DataError: Ray is not installed.
    """

    def __init__(self, folder: Path, address: str | None, workers: int | None) -> None:
        try:
            import ray.data  # noqa: F401 - only whether it is there
        except ImportError as error:
            raise DataError("the engine ray needs Ray", hint="pip install 'mto[ray]'") from error
        self._folder, self._address, self._workers = folder.absolute(), address, workers
        self._ours = False

    def run(self, units: Sequence[Unit]) -> Iterator[None]:
        """One row a unit, one block a row, so that a free actor takes the next."""
        import ray

        if not units:
            return
        self._connect()
        workers = self._workers or int(ray.cluster_resources().get("CPU", 1))
        rows = [{"unit": json.dumps(unit)} for unit in units]
        try:
            done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
                _Performer,
                fn_constructor_args=(str(self._folder),),
                compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
                num_cpus=1,
            )
            # All rows are read, also when one failed: Ray ends the whole process when it is shut down at work.
            errors: list[dict[str, Any]] = []
            for row in done.iter_rows():
                if row["error"]:
                    errors.append(json.loads(row["error"]))
                yield
        except ray.exceptions.RayError as error:
            first = str(error).strip().splitlines()[0]
            hint = "run the same command again; what is finished stays finished"
            raise RunError(f"Ray gave up: {first}", where=self._address, hint=hint) from error
        if errors:
            raise error_from_json(min(errors, key=lambda error: str(error["where"])))

    def _connect(self) -> None:
        import ray

        if ray.is_initialized():
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self._address is None:
            quiet |= {"num_cpus": self._workers, "include_dashboard": False}
        for left in reversed(range(1 if self._address else _STARTS)):
            try:
                ray.init(address=self._address or "local", **quiet)
                break
            except Exception as error:  # Ray raises plain exceptions here
                ray.shutdown()
                if not left:
                    raise RunError(f"Ray cannot be reached: {error}", where=self._address) from error
        self._ours = True
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            import ray

            ray.shutdown()


class _Performer:
    """One actor's bench."""

    def __init__(self, folder: str) -> None:
        keep_little()
        self._bench = Bench(Path(folder))

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            self._bench.perform(json.loads(row["unit"]))
        except MtoError as error:
            return {"error": json.dumps(error_json(error))}
        return {"error": ""}
