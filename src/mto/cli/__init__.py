"""The command line: one small file a command, no logic; heavy imports happen inside the commands."""

from __future__ import annotations

from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; ends with `SystemExit` (0 done, 2 a mistake of the user, 130 after Ctrl-C)."""
    from mto.cli.app import app

    app(args=None if args is None else list(args), prog_name="mto")
