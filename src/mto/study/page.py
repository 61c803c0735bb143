"""A page of a study: made from its committed results file alone, so that a test can make it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mto.report.markdown import escape
from mto.report.recipe import Recipe
from mto.runs import write_text


@dataclass(frozen=True)
class StudyPage:
    """One kind of page.

    Attributes:
        recipe: how its first line begins.
        blocks: Markdown blocks below the title, from the results file.
    """

    recipe: Recipe
    blocks: Callable[[Path], Iterable[str]]

    def write(
        self, path: str | Path, results: str | Path, title: str, *, remarks: str | Path | None = None
    ) -> Path:
        """Write the page; its first line says what it was made from.

        Args:
            path: the page, such as ``docs/results/matching.md``.
            results: the results file.
            remarks: a Markdown file of what a person has to say about the figures; it stands after the title.
        """
        path = Path(path)
        write_text(path, self._text(path, Path(results), title, Path(remarks) if remarks else None))
        return path

    def remake(self, path: str | Path) -> str:
        """The text of a page, made again from its results file.

        Raises:
            DataError: the page does not say what it was made from.
        """
        path = Path(path)
        told = self.recipe.read(path)
        return self._text(path, told["files"][0], told["title"], told["remarks"])

    def _text(self, path: Path, file: Path, title: str, remarks: Path | None) -> str:
        parts = [f"{self.recipe.line(path, title, [file], remarks)}\n# {escape(title)}"]
        if remarks is not None and (said := remarks.read_text(encoding="utf-8").strip()):
            parts.append(said)
        return "\n\n".join([*parts, *self.blocks(file)]) + "\n"
