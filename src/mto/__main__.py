"""``python -m mto``: the command line."""

from mto.cli import main

main()
