"""What matching found, in words and one table; and the same for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mto.match.evidence import Span
from mto.report.results import Forecast, MatchInfo
from mto.report.tables import Row, Table

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

    from mto.match import Match, ModelMatch


def verdict_lines(found: Match, model: ModelMatch | None = None) -> tuple[str, ...]:
    """The answer in three sentences (type, objective, family), and a fourth where objective and family seem to disagree.

    Where the answer is no more than a guess the reason goes before.
    """
    one = model or found.best
    lines = (
        _type_line(one, found.guess),
        _objective_line(one),
        f"Template family: {_family_line(one)}.",
        *_apart(one),
    )
    return (f"{found.guess[0].upper()}{found.guess[1:]}.", *lines) if found.guess else lines


def _type_line(one: ModelMatch, guess: str | None) -> str:
    kind, sure = one.type, f"{one.type.probability:.0%}"
    if guess:
        return f"Task type: a guess, {kind.type}."
    if kind.too_close:
        return f"Task type: too close to call; {kind.type} is a little likelier ({sure})."
    return f"Task type: {kind.type} ({sure} sure)."


def _objective_line(one: ModelMatch) -> str:
    kind = one.type.type
    if not one.type.too_close:
        return f"Objective: {one.objective}, which {kind} tasks are aligned with."
    other = "lm" if one.objective == "denoising" else "denoising"
    return (
        f"Objective: too close to call, as the type is; {one.objective}, which {kind} tasks are aligned with, "
        f"is a little likelier to suit than {other}."
    )


def _family_line(one: ModelMatch) -> str:
    decision, titles = one.family, _titles(one)
    first, chosen = decision.forecasts[0], titles[decision.family]
    if len(decision.forecasts) == 1:
        alone = "can be written" if one.scores.left_out else "was asked for"
        return f"{chosen}, the only one that {alone}, so there was nothing to choose"
    lead = next(f for f in decision.forecasts if f.family == decision.family)
    sure, expected = f"{decision.confidence:.0%}", f"expected {_percent(lead.expected)} against the mean"
    if not decision.too_close:
        return f"{chosen} ({sure} sure to be the best or within 1 % of it; {expected})"
    others = _listed([titles[name] for name in decision.close if name != decision.family])
    why = (
        "a little ahead"
        if lead is first
        else f"as good as the best and cheaper, {lead.cost:.0f} ids an example"
    )
    return f"{chosen}, but too close to call against {others} ({sure} sure to be the best or within 1 % of it; {expected}, {why})"


def _apart(one: ModelMatch) -> Iterator[str]:
    """Why the family looks like another objective than the one that is recommended, where it does."""
    own = one.scores.family(one.family.family)
    if own.objective not in (None, one.objective):
        yield (
            f"{own.title} looks like {own.objective}, not {one.objective}: the objective follows the type of the task, "
            "the family what this checkpoint, as it is, is expected to score best with; the two can differ."
        )


def _titles(one: ModelMatch) -> dict[str, str]:
    return {score.family: score.title for score in one.scores.families}


def _listed(names: list[str]) -> str:
    """Names as a sentence holds them: ``A``, ``A and B``, ``A, B and C``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _percent(span: Span) -> str:
    return f"{span.value:+.0f} % [{span.low:+.0f}, {span.high:+.0f}]"


def evidence_lines(found: Match, model: ModelMatch | None = None) -> tuple[str, ...]:
    """What each signal saw, one sentence each, the way it leans first."""
    return tuple(_evidence(found, model or found.best))


def match_info(found: Match) -> MatchInfo:
    """What a comparison keeps of a matching, for its report."""
    decision = found.best.family
    return MatchInfo(
        task=found.task,
        seed=found.data_seed or 0,
        family=found.family,
        too_close=decision.too_close,
        verdict=verdict_lines(found),
        evidence=(*evidence_lines(found), *_notes(found)),
        forecasts=tuple(
            Forecast(
                family=f.family,
                expected=f.expected.value,
                low=f.expected.low,
                high=f.expected.high,
                best=f.best,
            )
            for f in decision.forecasts
        ),
        seconds=found.seconds,
    )


def _notes(found: Match) -> tuple[str, ...]:
    """Notes but the one that the verdict begins with."""
    return tuple(note for note in found.notes if note != found.guess)


def _evidence(found: Match, one: ModelMatch) -> Iterator[str]:
    if found.guidelines is not None:
        yield _leaning("guidelines", found.guidelines.lean.towards, found.guidelines.lean.saw)
    if "depthrank" in one.type.leans:
        report = one.tuned_maskability or one.maskability
        shots = (
            f"after {report.pairs[0].shots} shots" if report.pairs and report.pairs[0].shots else "untuned"
        )
        yield _leaning(f"DepthRank, {shots}", report.lean.towards, report.lean.saw)
    if one.classified is not None:
        yield _leaning("classifier", one.classified.lean.towards, one.classified.lean.saw)
    for signal, reason in one.silent.items():
        yield f"{signal} has no voice: {reason}"
    if found.probe is not None:
        yield _leaning("probe", found.probe.lean.towards, found.probe.summary)
    if one.denoiser is not None:
        yield f"denoiser: {one.denoiser.says}"
    if one.scores.guessing is not None:
        yield _ranking(one)


def _ranking(one: ModelMatch) -> str:
    """How well options are ranked before anything is tuned; the decision does not weigh it."""
    right = [f.rank_accuracy.value for f in one.scores.families if f.rank_accuracy is not None]
    some = f"{min(right):.0f} to {max(right):.0f}" if max(right) - min(right) >= 1 else f"{right[0]:.0f}"
    return (
        f"ranking, untuned: the right option is the likeliest for {some} % of the rows, by family; guessing gives "
        f"{one.scores.guessing:.0f} % (for information: it has no say in the decision)"
    )


def _leaning(name: str, towards: str, saw: str) -> str:
    return f"{name} -> {towards}: {saw}"


def family_scores_table(one: ModelMatch, *, narrow: bool = False) -> Table:
    """Every family by what it costs and, where there are several, what is expected of it, the best expected first.

    Where rows have options also for how many the right one is the likeliest, without tuning.

    Args:
        narrow: leave DepthRank and the interval of the bits out where there is that column too, for 80 characters.
    """
    several, ranked = len(one.family.forecasts) > 1, one.scores.guessing is not None
    short = narrow and ranked
    columns = (
        "family", "bits a byte", *(("right, %",) if ranked else ()), *(() if short else ("DepthRank",)),
        *(("expected, %", "best") if several else ()), "ids",
    )  # fmt: skip
    rows = []
    for forecast in one.family.forecasts:
        score = one.scores.family(forecast.family)
        bits = score.bits_per_byte
        cells = [score.title, f"{bits.value:.2f}" if short else _span(bits, 2)]
        if ranked and score.rank_accuracy is not None:
            cells.append(_span(score.rank_accuracy, 0))
        if not short:
            cells.append(f"{score.depth_rank.value:,.0f}")
        if several:
            cells += [_percent(forecast.expected).replace(" %", ""), f"{forecast.best:.0%}"]
        kind = "aligned" if forecast.family == one.family.family else "family"
        rows.append(Row(kind, forecast.family, (*cells, f"{forecast.cost:.0f}")))
    return Table(columns, tuple(rows))


def candidates_table(found: Match) -> Table:
    """Candidate checkpoints, the one that expects the targets best first."""
    rows = tuple(
        Row(
            "aligned" if one is found.best else "family",
            None,
            (one.model, _span(one.bits_per_byte, 2), one.easiest, one.family.family, one.objective),
        )
        for one in found.models
    )
    return Table(("checkpoint", "bits a byte", "easiest family", "tune with", "adapt with"), rows)


def _span(span: Span, digits: int) -> str:
    return f"{span.value:.{digits}f} [{span.low:.{digits}f}, {span.high:.{digits}f}]"


def render_match(found: Match, *, width: int = 80) -> Group:
    """The answer for the terminal.

    Args:
        found: from `mto.match`.
        width: columns of the terminal.
    """
    from rich.console import Group
    from rich.text import Text

    one = found.best
    rows = f"{found.train_rows} labelled rows" + (f" and {found.dev_rows} dev rows" if found.dev_rows else "")
    parts: list[RenderableType] = [Text(f"{found.task} with {one.model}: {rows}", style="dim")]
    if found.candidates is not None:
        parts.append(Text(f"Checkpoint: {found.candidates.says}.", style="bold"))
    parts += [Text(line, style="bold") for line in verdict_lines(found)]
    parts += [Text(f"- {line}") for line in evidence_lines(found)]
    parts += [Text(note, style="yellow") for note in _notes(found)]
    parts += [Text(f"{out.family} was left out: {out.reason}", style="yellow") for out in one.scores.left_out]
    parts += [Text(), _drawn(_families_title(one), family_scores_table(one, narrow=width < 100), width)]
    if len(found.models) > 1:
        parts += [Text(), _drawn("Checkpoints by bits a target byte", candidates_table(found), width)]
    return Group(*parts)


def _families_title(one: ModelMatch) -> str:
    title = f"Families on {one.model}, without tuning"
    return (
        title if len(one.family.forecasts) == 1 else f"{title} (expected: against their mean, 80 % interval)"
    )


def _drawn(title: str, content: Table, width: int) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(
        title=Text(title, style="bold"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1)
    )
    for number, column in enumerate(content.columns):
        drawn.add_column(Text(column), justify="right" if number else "left", no_wrap=width >= 80)
    for row in content.rows:
        style = "bold" if row.kind == "aligned" else ""
        drawn.add_row(*(Text(cell, style=style) for cell in row.cells))
    return drawn
