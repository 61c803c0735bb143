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
    """The answer in three sentences: type, objective, family."""
    one = model or found.best
    kind, sure = one.type, f"{one.type.probability:.0%}"
    if kind.too_close:
        first = f"Task type: too close to call; {kind.type} is a little likelier ({sure})."
    else:
        first = f"Task type: {kind.type} ({sure} sure)."
    return (
        first,
        f"Objective: {one.objective}, which {kind.type} tasks are aligned with.",
        f"Template family: {one.family.says}.",
    )


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
        evidence=(*evidence_lines(found), *found.notes),
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
    if found.probe is not None:
        yield _leaning("probe", found.probe.lean.towards, found.probe.summary)
    if one.denoiser is not None:
        yield f"denoiser: {one.denoiser.says}"


def _leaning(name: str, towards: str, saw: str) -> str:
    return f"{name} -> {towards}: {saw}"


def family_scores_table(one: ModelMatch) -> Table:
    """Every family by what it costs and what is expected of it, the best expected first."""
    columns = ("family", "bits a byte", "DepthRank", "expected", "best", "ids")
    rows = []
    for forecast in one.family.forecasts:
        score = one.scores.family(forecast.family)
        rows.append(
            Row(
                "aligned" if forecast.family == one.family.family else "family",
                forecast.family,
                (
                    score.title,
                    _span(score.bits_per_byte, 2),
                    f"{score.depth_rank.value:,.0f}",
                    f"{forecast.expected.value:+.0f} %",
                    f"{forecast.best:.0%}",
                    f"{forecast.cost:.0f}",
                ),
            )
        )
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
    parts += [Text(line, style="bold") for line in verdict_lines(found)]
    parts += [Text(f"- {line}") for line in evidence_lines(found)]
    parts += [Text(note, style="yellow") for note in found.notes]
    parts += [Text(f"{out.family} was left out: {out.reason}", style="yellow") for out in one.scores.left_out]
    parts += [Text(), _drawn(f"Families on {one.model}, without tuning", family_scores_table(one), width)]
    if len(found.models) > 1:
        parts += [Text(), _drawn("Checkpoints by bits a target byte", candidates_table(found), width)]
    return Group(*parts)


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
