"""Span corruption one example at a time, in the style that people port from the Flax T5 example.

Written from an understanding of that way, not copied: noise mask from shuffled segment starts (the last segment is
always noise), sentinel ids from running counts, then filtering. It is what `benchmarks/objectives.py` measures
against; it is not used by the library.
"""

from __future__ import annotations

import numpy as np


def random_segmentation(items: int, segments: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths of `segments` random non-empty parts of `items`."""
    first_in_segment = np.arange(items - 1) < segments - 1
    rng.shuffle(first_in_segment)
    segment_id = np.cumsum(np.pad(first_in_segment, [[1, 0]]))
    _, lengths = np.unique(segment_id, return_counts=True)
    return lengths


def random_spans_noise_mask(
    length: int, density: float, mean_span: float, rng: np.random.Generator
) -> np.ndarray:
    """Noise mask of one example; begins with kept tokens and ends with noise."""
    noise = min(max(int(np.round(length * density)), 1), length - 1)
    spans = max(int(np.round(noise / mean_span)), 1)
    noise_lengths = random_segmentation(noise, spans, rng)
    kept_lengths = random_segmentation(length - noise, spans, rng)
    interleaved = np.reshape(np.stack([kept_lengths, noise_lengths], axis=1), [spans * 2])
    span_starts = np.cumsum(interleaved)[:-1]
    indicator = np.zeros((length,), dtype=np.int8)
    indicator[span_starts] = True
    return np.equal(np.cumsum(indicator) % 2, 1)


def create_sentinel_ids(mask: np.ndarray, first_sentinel: int) -> np.ndarray:
    """Sentinel at the first token of each masked run, -1 at its other tokens, 0 elsewhere; `mask`: int8 `[B, L]`."""
    starts = mask - np.roll(mask, 1, axis=-1) * mask
    starts[:, 0] = mask[:, 0]
    ids = np.where(starts != 0, np.cumsum(starts, axis=-1), starts)
    ids = np.where(ids != 0, first_sentinel + 1 - ids, 0)
    ids -= mask - starts
    return ids


def filter_input_ids(input_ids: np.ndarray, sentinel_ids: np.ndarray, eos: int) -> np.ndarray:
    """Put sentinels in, drop the rest of each masked run, append EOS."""
    rows = input_ids.shape[0]
    full = np.where(sentinel_ids != 0, sentinel_ids, input_ids)
    kept = full[full >= 0].reshape((rows, -1))
    return np.concatenate([kept, np.full((rows, 1), eos, dtype=np.int32)], axis=-1)


def corrupt(
    ids: np.ndarray, density: float, mean_span: float, first_sentinel: int, eos: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Source and target of one example; sentinels count down from `first_sentinel`."""
    source, target = corrupt_equal(ids[None], density, mean_span, first_sentinel, eos, rng)
    return source[0], target[0]


def corrupt_equal(
    ids: np.ndarray, density: float, mean_span: float, first_sentinel: int, eos: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The same for rows of one length, `[B, L]`: masks one by one, both layouts for the whole matrix at once."""
    mask = np.stack([random_spans_noise_mask(ids.shape[1], density, mean_span, rng) for _ in range(len(ids))])
    source = filter_input_ids(ids, create_sentinel_ids(mask.astype(np.int8), first_sentinel), eos)
    target = filter_input_ids(ids, create_sentinel_ids((~mask).astype(np.int8), first_sentinel), eos)
    return source, target
