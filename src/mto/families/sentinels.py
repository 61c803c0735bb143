"""Sentinels: how they are spelled, and which ids they have in a tokenizer."""

from __future__ import annotations

from typing import Any

from mto.errors import FamilyError

SENTINEL_SPELLING = "<extra_id_{}>"
# mT5 holds its trained sentinels as ordinary pieces with the word mark in front.
SPELLINGS = ("▁" + SENTINEL_SPELLING, SENTINEL_SPELLING)
MOST = 1000


def sentinel_ids(tokenizer: Any, rows: int) -> tuple[int, ...]:
    """Ids of the sentinels of a tokenizer, by order of appearance in a text.

    A sentinel counts only when its id lies inside the `rows` of the embedding; the first spelling that gives a
    run from number 0 wins, so a freshly added and never trained spelling does not hide the trained one.
    Returns an empty tuple when the tokenizer has none.
    """
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    for spelling in SPELLINGS:
        found: list[int] = []
        for number in range(MOST):
            token_id = vocabulary.get(spelling.format(number))
            if token_id is None or token_id >= rows:
                break
            found.append(token_id)
        if found:
            if len(set(found)) != len(found):
                raise FamilyError(f"the tokenizer gives two sentinels the same id: {found}")
            return tuple(found)
    return ()


def add_sentinels(tokenizer: Any, count: int = 100) -> tuple[int, ...]:
    """Append `count` sentinels to a tokenizer that is being made for a *new* checkpoint (never for a trained one).

    They are special, not normalised and drag no stray spaces around: neither the space before nor after belongs
    to them. Returns their ids by order of appearance.
    """
    from tokenizers import AddedToken

    names = [SENTINEL_SPELLING.format(number) for number in range(count)]
    tokenizer.add_tokens(
        [AddedToken(name, special=True, normalized=False) for name in names], special_tokens=True
    )
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    return tuple(vocabulary[name] for name in names)
