"""The parts of a datasheet, and how each is written in Markdown and in HTML. Everything that comes from data is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")
_BAR = 30  # signs of the longest bar in Markdown


@dataclass(frozen=True)
class Part:
    """One part under a heading.

    Attributes:
        title: the heading; empty for a part that follows another under the same one.
        level: 2 or 3.
        text: paragraphs in plain words.
        columns, rows: a table; numbers stand right.
        bars: (label, count) of a histogram.
    """

    title: str = ""
    level: int = 2
    text: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    bars: tuple[tuple[str, int], ...] = ()


def to_markdown(title: str, parts: Iterable[Part]) -> str:
    """The sheet in Markdown; bars are made of signs.

    >>> print(to_markdown("Pairs", [Part("Lengths", bars=(("1", 4), ("2", 2)))]).splitlines()[5])
    1  ██████████████████████████████  4
    """
    blocks = [f"# {_plain(title)}"]
    for part in parts:
        if part.title:
            blocks.append(f"{'#' * part.level} {_plain(part.title)}")
        blocks += [_plain(text) for text in part.text]
        if part.rows:
            blocks.append("\n".join(_lines(part.columns, part.rows)))
        if part.bars:
            blocks.append("\n".join(["```text", *_signs(part.bars), "```"]))
    return "\n\n".join(blocks) + "\n"


def to_html(title: str, parts: Iterable[Part]) -> str:
    """The sheet as one HTML file: no scripts, nothing fetched, for light and dark pages; bars are drawn as SVG."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    for part in parts:
        if part.title:
            body.append(f"<h{part.level}>{html.escape(part.title)}</h{part.level}>")
        body += [f"<p>{html.escape(text)}</p>" for text in part.text]
        if part.rows:
            body.append(_table(part.columns, part.rows))
        if part.bars:
            body.append(_svg(part.bars))
    return _PAGE.replace("@TITLE@", html.escape(title)).replace("@BODY@", "\n".join(body))


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))


def _lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    right = _right(columns, rows)
    rule = " | ".join("---:" if aligned else "---" for aligned in right)
    lines = [" | ".join(map(_plain, columns)), rule, *(" | ".join(map(_plain, row)) for row in rows)]
    return [f"| {line} |" for line in lines]


def _signs(bars: Sequence[tuple[str, int]]) -> list[str]:
    wide, most = max(len(label) for label, _ in bars), max((count for _, count in bars), default=0) or 1
    return [
        f"{label:>{wide}}  {'█' * round(_BAR * count / most):{_BAR}}  {count:,}".rstrip()
        for label, count in bars
    ]


def _right(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    """Which columns hold numbers alone."""
    return [
        all(re.fullmatch(r"[-\d.,]+ ?%?", row[number]) or not row[number] for row in rows)
        for number in range(len(columns))
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = _right(columns, rows)

    def cells(row: Sequence[str], tag: str) -> str:
        marks = (' class="n"' if aligned else "" for aligned in right)
        return "".join(
            f"<{tag}{mark}>{html.escape(cell)}</{tag}>" for cell, mark in zip(row, marks, strict=True)
        )

    lines = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{cells(columns, "th")}</tr></thead><tbody>\n{lines}\n</tbody></table></div>'


def _svg(bars: Sequence[tuple[str, int]]) -> str:
    """Bars from left to right, one a line."""
    most = max(count for _, count in bars) or 1
    height = 20 * len(bars)
    told = "; ".join(f"{label}: {count}" for label, count in bars)
    lines = [f'<svg viewBox="0 0 560 {height}" role="img" aria-label="{html.escape(told)}">']
    for number, (label, count) in enumerate(bars):
        y, length = 20 * number, round(380 * count / most, 1)
        lines.append(f'<text class="label" x="92" y="{y + 14}">{html.escape(label)}</text>')
        lines.append(f'<rect x="100" y="{y + 3}" width="{length}" height="14" rx="2"/>')
        lines.append(f'<text x="{106 + length}" y="{y + 14}">{count:,}</text>')
    return "\n".join([*lines, "</svg>"])


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@TITLE@</title>
<style>
:root { color-scheme: light dark; --ink: #1b1e23; --page: #fff; --soft: #626973; --line: #e2e5e9; --bar: #0067a5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --page: #15181c; --soft: #9aa3ae; --line: #343a42; --bar: #5cb3ec; }
}
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: var(--ink); background: var(--page);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.4rem; border-bottom: 1px solid var(--line); } h3 { margin-top: 1.6rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
svg { display: block; width: 100%; max-width: 36rem; }
svg rect { fill: var(--bar); } svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } .label { text-anchor: end; }
</style>
</head>
<body>
@BODY@
</body>
</html>
"""
