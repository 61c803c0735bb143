"""Tokenizers for a new checkpoint: an encoder's word pieces cut down to what a corpus needs, or a new Unigram."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import transformers
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from mto.errors import FamilyError
from mto.families import add_sentinels
from mto.families.words import CONTINUES

PAD, EOS, UNK, MASK = SPECIALS = ("<pad>", "</s>", "<unk>", "<mask>")


def cut_word_pieces(
    tokenizer: Any, texts: Iterable[str], size: int, sentinels: int = 100
) -> tuple[Any, dict[int, int]]:
    """Keep the pieces of a WordPiece tokenizer that a corpus uses most.

    Every single character of the old vocabulary's ASCII part stays, so that a cut word can still be spelled.

    Args:
        tokenizer: a fast WordPiece tokenizer, such as BERT's.
        texts: the corpus, or a sample of it.
        size: rows of the new vocabulary, specials and sentinels included.
        sentinels: how many to append.

    Returns:
        The new tokenizer (ids: `<pad>` 0, `</s>` 1, `<unk>` 2, `<mask>` 3, pieces in their old order, sentinels)
        and a map of new id to old id for every piece that was carried over.

    Raises:
        FamilyError: the tokenizer is of another kind, or `size` is too small for its characters.
    """
    spec = json.loads(tokenizer.backend_tokenizer.to_str())
    if spec["model"]["type"] != "WordPiece":
        raise FamilyError(
            f"the vocabulary of a {spec['model']['type']} tokenizer cannot be cut down",
            hint="only WordPiece (BERT and its kin) can; or train a new tokenizer",
        )
    backend = Tokenizer.from_str(json.dumps(spec))
    backend.no_truncation()
    backend.no_padding()
    counts: Counter[int] = Counter()
    for batch in batched(texts, 2000):
        for encoding in backend.encode_batch_fast(batch, add_special_tokens=False):
            counts.update(encoding.ids)
    old: dict[str, int] = spec["model"]["vocab"]
    special = {token["content"] for token in spec["added_tokens"]} | {
        p for p in old if p.startswith("[unused")
    }
    alphabet = {p for p in old if p not in special and p.isascii() and len(p.removeprefix(CONTINUES)) == 1}
    room = size - len(SPECIALS) - sentinels - len(alphabet)
    if room < 0:
        raise FamilyError(
            f"a vocabulary of {size} has no room for {len(alphabet)} characters and {sentinels} sentinels"
        )
    ranked = sorted(
        (p for p in old if p not in special and p not in alphabet), key=lambda p: (-counts[old[p]], old[p])
    )
    kept = sorted((*alphabet, *ranked[:room]), key=lambda p: old[p])
    vocabulary = {piece: row for row, piece in enumerate((*SPECIALS, *kept))}
    new = Tokenizer(models.WordPiece(vocabulary, unk_token=UNK, max_input_chars_per_word=100))
    new.normalizer, new.pre_tokenizer, new.decoder = (
        backend.normalizer,
        backend.pre_tokenizer,
        decoders.WordPiece(),
    )
    return _wrap(new, sentinels), {vocabulary[piece]: old[piece] for piece in kept}


def train_unigram(texts: Iterable[str], size: int, sentinels: int = 100) -> Any:
    """A new Unigram tokenizer (T5's kind), lower-casing nothing, with sentinels at the end.

    Args:
        texts: the corpus, or a sample of it.
        size: rows, specials and sentinels included.
    """
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    backend.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=size - sentinels, special_tokens=list(SPECIALS), unk_token=UNK, show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    return _wrap(backend, sentinels)


def _wrap(backend: Tokenizer, sentinels: int) -> Any:
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    eos = backend.token_to_id(EOS)
    backend.post_processor = processors.TemplateProcessing(single=f"$A {EOS}", special_tokens=[(EOS, eos)])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        mask_token=MASK,
        model_max_length=512,
    )
    add_sentinels(tokenizer, sentinels)
    return tokenizer


def batched(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """Lists of up to `size` items."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
