"""Which span of a raw sentence is the target: by rules, by a model, or by both in turn (docs/method.md 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mto.lazy import lazily

if TYPE_CHECKING:
    from mto.prepare.splitting.build import SplitterConfig, build_splitter, learning_triples
    from mto.prepare.splitting.found import Either, Found, PhraseFirst, Splitter
    from mto.prepare.splitting.measure import Hit, held_out_triples, judge
    from mto.prepare.splitting.model import ModelSplitter, SplitterSettings, train_splitter
    from mto.prepare.splitting.places import Place, align, cut, words_of
    from mto.prepare.splitting.rules import Hints, RuleSplitter, rule_splitter
    from mto.prepare.splitting.triples import Triple, verbalise

_HOMES = {
    "Either": "found",
    "Found": "found",
    "Hints": "rules",
    "Hit": "measure",
    "ModelSplitter": "model",
    "PhraseFirst": "found",
    "Place": "places",
    "RuleSplitter": "rules",
    "Splitter": "found",
    "SplitterConfig": "build",
    "SplitterSettings": "model",
    "Triple": "triples",
    "align": "places",
    "build_splitter": "build",
    "cut": "places",
    "judge": "measure",
    "learning_triples": "build",
    "rule_splitter": "rules",
    "held_out_triples": "measure",
    "train_splitter": "model",
    "verbalise": "triples",
    "words_of": "places",
}

__all__ = [
    "Either",
    "Found",
    "Hints",
    "Hit",
    "ModelSplitter",
    "PhraseFirst",
    "Place",
    "RuleSplitter",
    "Splitter",
    "SplitterConfig",
    "SplitterSettings",
    "Triple",
    "align",
    "build_splitter",
    "cut",
    "held_out_triples",
    "judge",
    "learning_triples",
    "rule_splitter",
    "train_splitter",
    "verbalise",
    "words_of",
]

__getattr__ = lazily(__name__, _HOMES)
