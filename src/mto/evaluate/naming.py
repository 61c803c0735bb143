"""Which option an answer names, where a family asks for the name: ``choice2 a library``, ``b a library`` or ``2 a library``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mto.tasks.spelling import the_one

_SHORT = 2
"""Letters up to which a name may also be the first word of a text: ``a``, ``1``, ``10``."""
_CLOSED = re.compile(r"\s*[.:;,)\]](?!\s*\d)")
"""Marks that close a name; before a digit they stand inside a number (``1, 000``)."""
_OPENED = re.compile(r"[\s(\[\"'“]*")


def the_name(text: str, names: Sequence[str]) -> int | None:
    """The option whose name is all of a text, but for marks. Blanks are passed over: tokenizers write ``choice 2``.

    >>> the_name("Choice 2.", ["choice1", "choice2"]), the_name("a car", ["a", "b"])
    (1, None)
    """
    words = "".join(_words(text))
    return next((number for number, name in enumerate(names) if words == name), None)


def the_name_first(text: str, names: Sequence[str], options: Sequence[Sequence[str]]) -> int | None:
    """The option whose name begins a text.

    ``choice2`` can be nothing but a name, so it decides whatever stands behind it. ``a`` and ``2`` can also be the first
    word of a text ("a red ball"), so that there a mark, the option's own text, or nothing must stand behind the name.

    >>> options = [["red ball"], ["a red box"]]
    >>> [the_name_first(text, ["a", "b"], options) for text in ("a red ball", "a red box", "b a red box", "b.", "b) ball")]
    [0, None, 1, 1, 1]
    """
    for number, name in enumerate(names):
        if len(name) > _SHORT:
            if _begins(_words(text), name):
                return number
        elif (rest := _behind(text, name)) is not None:
            # Own text first: it may begin with a mark itself.
            own = the_one(rest, [options[number]]) is not None
            return number if own or not rest.strip() or _CLOSED.match(rest) else None
    return None


def _behind(text: str, name: str) -> str | None:
    """What stands behind a name that is the first word of a text; None where it is not."""
    start = _OPENED.match(text)
    body = text[start.end() if start else 0 :]
    rest = body[len(name) :]
    if body[: len(name)].casefold() != name or rest[:1].isalnum():
        return None
    return rest


def _begins(words: Sequence[str], name: str) -> bool:
    joined = ""
    for word in words:
        joined += word
        if joined == name:
            return True
        if not name.startswith(joined):
            return False
    return False


def _words(text: str) -> list[str]:
    """Lower case, everything but letters and digits a blank; articles stay, for ``a`` is a name."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()
