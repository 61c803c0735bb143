"""Making the coefficients that come with the package; to be called again when an embedded checkpoint changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from mto.families import LoadedModel
from mto.match.classifier.coefficients import ALL, FOLDER
from mto.match.classifier.fast import BLOCKS, train_fast_classifier
from mto.match.classifier.features import LAYOUT, SentenceEncoder
from mto.match.classifier.labelled import leave_out, training_rows
from mto.runs import write_bytes

CREDIT = (
    "household (Apache-2.0); ATOMIC-2020, Hwang et al., (Comet-)Atomic 2020, AAAI 2021 (CC-BY-4.0): "
    "numbers fitted to rows of both, no text of either"
)


def make_coefficients(loaded: LoadedModel, atomic: str | Path, *, folder: Path = FOLDER) -> Path:
    """Fit the fast classifier for one checkpoint and write its file, which is in use from then on.

    One fit on all relations, and one without each, so that each can be judged by a classifier that never saw it.
    About a minute.

    Args:
        loaded: an embedded checkpoint; its `ref` names the file.
        atomic: the folder of ATOMIC-2020 (see the task library); its dev and test data are not read.
        folder: where the files are.

    Raises:
        DataError: the data are missing.
    """
    rows = (*training_rows(), *training_rows("atomic2020", str(atomic)))
    encoder = SentenceEncoder(loaded)
    names = [ALL, *sorted({one.meaning for one in rows})]
    fits = {name: train_fast_classifier(encoder, leave_out(rows, {name} - {ALL})).logistic for name in names}
    tensors = {
        f"{name or 'all'}/{block}": fit.weights[block].astype(np.float32)
        for name, fit in fits.items()
        for block in BLOCKS
    }
    about = {
        "revision": loaded.revision,
        "checkpoint": Path(loaded.ref).name,
        "layout": LAYOUT,
        "trained_on": "household and ATOMIC-2020",
        "rows": sum(len(one.rows) for one in rows),
        "penalties": {name: fit.penalty for name, fit in fits.items()},
        "biases": {name: fit.bias for name, fit in fits.items()},
        "credit": CREDIT,
    }
    path = folder / f"{about['checkpoint']}.safetensors"
    return write_bytes(path, save(tensors, metadata={"mto": json.dumps(about, sort_keys=True)}))
