"""matplotlib figures as SVG text whose colours follow the page: light, dark, or on its own."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

from mto.report.theme import GRID, INK, MUTED, Mark

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# matplotlib draws with these; afterwards each becomes a CSS variable with the light colour behind it.
INK_HEX, MUTED_HEX, GRID_HEX = "#010101", "#020202", "#030303"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def family_hex(number: int) -> str:
    """The stand-in colour of the n-th family."""
    return f"#04{number:02x}00"


def draw(name: str, label: str, make: Callable[[], Figure], marks: dict[str, Mark]) -> str:
    """Run `make` under fixed settings and give its figure as SVG.

    Equal figures give equal bytes: no date, no random ids, no settings of the user. Text stays text.

    Args:
        name: goes before every id, so that several figures can stand in one page.
        label: what the picture shows, for readers who cannot see it.
        make: builds a figure, with the stand-in colours of this module.
        marks: family name to mark, in the order of the stand-in numbers.
    """
    with _settings(name):
        figure = make()
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _themed(buffer.getvalue(), name, label, marks)


@contextmanager
def _settings(name: str) -> Iterator[None]:
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": name,
                "font.size": 12,
                "figure.dpi": 72,  # one point is one pixel of the SVG
                "text.color": INK_HEX,
                "axes.labelcolor": MUTED_HEX,
                "axes.edgecolor": GRID_HEX,
                "axes.linewidth": 1,
                "axes.axisbelow": True,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.spines.left": False,
                "axes.unicode_minus": True,
                "xtick.color": GRID_HEX,
                "ytick.color": GRID_HEX,
                "xtick.labelcolor": MUTED_HEX,
                "ytick.labelcolor": MUTED_HEX,
                "grid.color": GRID_HEX,
                "grid.linewidth": 1,
            }
        )
        yield


def _themed(svg: str, name: str, label: str, marks: dict[str, Mark]) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)  # the page's own font, or that of `standalone`
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)  # would leak
    svg = svg.replace("<svg", f'<svg stroke-linejoin="round" role="img" aria-label="{escape(label)}"', 1)
    colours = {INK_HEX: ("ink", INK[0]), MUTED_HEX: ("muted", MUTED[0]), GRID_HEX: ("grid", GRID[0])}
    colours |= {family_hex(n): (f"family-{n}", mark.light) for n, mark in enumerate(marks.values())}
    for stand_in, (variable, light) in colours.items():
        svg = svg.replace(stand_in, f"var(--{variable}, {light})")
    return svg.strip() + "\n"


def standalone(svg: str) -> str:
    """The same picture for a file of its own: a white ground behind it, and the name space that files need."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    width, height = box.groups() if box else ("100%", "100%")
    head, rest = svg.split(">", 1)
    return f'{head} width="{width}" height="{height}" font-family="{FONT}"><rect width="100%" height="100%" fill="#ffffff"/>{rest}'
