"""Which denoiser: span length and noise density that look like the task's own targets, tried on its own sentences.

In: labelled rows and a checkpoint. Out: a proposal made from lengths alone, and what denoising the task's own sentences costs the
untuned checkpoint with it and with its neighbours. Fails where the checkpoint writes no masks, or no sentence has 5 tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mto.config import Strict
from mto.errors import DataError, FamilyError
from mto.evaluate.likelihood import likelihood
from mto.families import LoadedModel, word_start_rows
from mto.match.evidence import Span
from mto.objectives import Denoising, Ragged, SpecialIds
from mto.tasks import Row, Task
from mto.templates import encode_many, get_family
from mto.tune.optioned import right_choice

T5 = (0.15, 3.0)
"""Density and mean span of T5 (Raffel et al. 2020, 3.3.4): what a conventional adaptation would take."""
DENSITIES, SPANS = (0.1, 0.5), (1.0, 10.0)
"""Proposals stay in these ranges: less noise teaches slowly, more leaves no sentence; 10 was T5's longest span that did well."""
DRAWS = 4
_RESAMPLES = 1000


class DenoiserSetting(Strict):
    """One way to mask, and how hard it is for the untuned checkpoint.

    Attributes:
        name: ``proposed``, ``shorter``, ``longer`` or ``T5``.
        density: share of tokens masked.
        mean_span: tokens of a span.
        bits_per_byte: of the masked text, on the task's sentences.
        against_t5: bits a byte more than with T5's setting, on the same sentences; None for T5's own.
    """

    name: str
    density: float
    mean_span: float
    bits_per_byte: Span
    against_t5: Span | None


class DenoiserProposal(Strict):
    """A denoiser that looks like the task.

    Attributes:
        density, mean_span: the proposal, for `mto.objectives.Denoising`.
        target_tokens, sentence_tokens: mean lengths that it was made from.
        sentences: how many sentences it was tried on.
        too_short: sentences under 5 tokens or 2 words, left out.
        settings: the proposal and its neighbours.
        says: in words.
    """

    density: float
    mean_span: float
    target_tokens: float
    sentence_tokens: float
    sentences: int
    too_short: int
    settings: tuple[DenoiserSetting, ...]
    says: str


@dataclass(frozen=True)
class _Sentences:
    ids: tuple[tuple[int, ...], ...]
    target_tokens: float
    sentence_tokens: float


def propose_denoiser(
    loaded: LoadedModel, task: Task, rows: Sequence[Row], *, phrase: str | None = None, seed: int = 0
) -> DenoiserProposal:
    """Propose mean span length and noise density for a task, and try them.

    A row is written as one sentence: the source of natural Prompting (Mapping where there is no phrase) and its target; of a
    question that is the question with the right answer, of a text to be classified the text with its label's word.
    The proposal masks spans as long as a target, as often as a target takes part of its sentence:
    ``mean_span = mean target tokens``, ``density = target tokens / sentence tokens``, both kept in a sane range. With targets
    of 2 tokens in sentences of 10 that is spans of 2 at a density of 0.2.

    Args:
        rows: labelled few-shot and dev rows.
        phrase: in place of the task's first.
        seed: of the random masks (`DRAWS` a sentence).

    Raises:
        FamilyError: the checkpoint writes no masks.
        DataError: no row, or no sentence long enough to be masked.
    """
    if not loaded.adapter.writes_masks:
        raise FamilyError(
            "this checkpoint writes no masks, so no denoiser fits it", hint="adapt it with the lm objective"
        )
    if not rows:
        raise DataError("no labelled rows to propose a denoiser from")
    sentences = _write(loaded, task, rows, phrase)
    density = round(float(np.clip(sentences.target_tokens / sentences.sentence_tokens, *DENSITIES)), 2)
    span = round(float(np.clip(sentences.target_tokens, *SPANS)), 1)
    wanted = {
        "proposed": (density, span),
        "shorter": (density, max(1.0, round(span / 2, 1))),
        "longer": (density, min(2 * span, SPANS[1])),
        "T5": T5,
    }
    kept = {name: pair for name, pair in wanted.items() if name in ("proposed", "T5") or pair[1] != span}
    starts = word_start_rows(loaded.adapter.tokenizer)
    batch = Ragged.from_lists(list(sentences.ids))
    special = SpecialIds.of(loaded.adapter)
    fit = Denoising(special, whole_words=True).maskable(batch, starts[batch.values])
    if not fit.any():
        raise DataError(
            f"{task.name}: none of {len(rows)} sentences has 5 tokens and 2 words",
            hint="give the task a natural phrase, so that a row makes a whole sentence",
        )
    batch = batch.select(fit)
    costs = {name: _costs(loaded, batch, starts, special, *pair, seed) for name, pair in kept.items()}
    settings = tuple(
        DenoiserSetting(
            name=name,
            density=pair[0],
            mean_span=pair[1],
            bits_per_byte=_span([costs[name]], seed),
            against_t5=None if name == "T5" else _span([costs[name], costs["T5"]], seed),
        )
        for name, pair in kept.items()
    )
    return DenoiserProposal(
        density=density,
        mean_span=span,
        target_tokens=sentences.target_tokens,
        sentence_tokens=sentences.sentence_tokens,
        sentences=len(batch),
        too_short=int((~fit).sum()),
        settings=settings,
        says=_words(sentences, density, span, settings[0]),
    )


def _write(loaded: LoadedModel, task: Task, rows: Sequence[Row], phrase: str | None) -> _Sentences:
    phrase = phrase if phrase is not None else next(iter(task.phrases), None)
    if phrase is None and task.form.has_choices:
        # Mapping would write all choices, which is no sentence; the question with its answer is one.
        phrase = " ".join(f"{{{{ {name} }}}}" for name in task.fields if name != "relation")
    family = get_family("prompting" if phrase else "mapping")
    template = task.form.template(family, phrase=phrase, fields=task.fields, adapter=loaded.adapter)
    rendered = [
        template.render(
            row.fields, task.form.written(row.target, natural=bool(phrase)), right_choice(row, row.target)
        )
        for row in rows
    ]
    encoded = encode_many(rendered, loaded.adapter)
    # Without the EOS of both sides, source and target of Prompting are one running sentence.
    sentences = tuple((*e.source_ids[:-1], *e.target_ids[:-1]) for e in encoded)
    return _Sentences(
        sentences,
        float(np.mean([len(e.target_ids) - 1 for e in encoded])),
        float(np.mean([len(s) for s in sentences])),
    )


@dataclass(frozen=True)
class _Pair:
    source_ids: Sequence[int]
    target_ids: Sequence[int]


def _costs(
    loaded: LoadedModel, batch: Ragged, starts: np.ndarray, special: SpecialIds, density: float, span: float, seed: int
) -> np.ndarray:  # fmt: skip
    """Bits and bytes of the masked text of each sentence, summed over the draws: float64 `[sentences, 2]`."""
    objective = Denoising(special, density=density, mean_span=span, whole_words=True)
    pairs = []
    for draw in range(DRAWS):
        # The same stream for every setting: settings differ by what they mask, not by luck more than they must.
        written = objective(batch, np.random.default_rng([seed, draw]), starts[batch.values])
        pairs += [
            _Pair(s, t) for s, t in zip(written.source.to_lists(), written.target.to_lists(), strict=True)
        ]
    scores = likelihood(loaded, pairs, include_eos=False)
    both = np.stack([scores.nll / np.log(2), scores.bytes.astype(float)], axis=1)
    return both.reshape(DRAWS, len(batch), 2).sum(0)


def _span(costs: Sequence[np.ndarray], seed: int) -> Span:
    """Bits over bytes with its bootstrap interval over sentences; of two, the first minus the second (paired)."""
    count = len(costs[0])
    picks = np.random.default_rng([seed, 11]).integers(count, size=(_RESAMPLES, count))

    def ratio(cost: np.ndarray, pick: np.ndarray) -> np.ndarray:
        total = cost[pick].sum(-2)
        ratios: np.ndarray = total[..., 0] / np.maximum(total[..., 1], 1)
        return ratios

    whole = np.arange(count)
    value = ratio(costs[0], whole) - (ratio(costs[1], whole) if len(costs) > 1 else 0.0)
    drawn = ratio(costs[0], picks) - (ratio(costs[1], picks) if len(costs) > 1 else 0.0)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Span(value=float(value), low=float(low), high=float(high))


def _words(sentences: _Sentences, density: float, span: float, proposed: DenoiserSetting) -> str:
    gap = proposed.against_t5
    assert gap is not None  # only T5's own setting has none
    how = "harder than" if gap.low > 0 else "easier than" if gap.high < 0 else "about as hard as"
    return (
        f"targets have {sentences.target_tokens:.1f} of {sentences.sentence_tokens:.1f} tokens of a sentence: spans of {span:g} at "
        f"a density of {density:g}; such spans cost the checkpoint {proposed.bits_per_byte.value:.2f} bits a byte, {how} "
        f"T5's setting ({gap.value:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}])"
    )
