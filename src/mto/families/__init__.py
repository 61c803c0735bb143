"""How a checkpoint was taught to write masks, ends and starts; the only place that knows how a sentinel is spelled."""

from mto.families.adapter import Adapter, Answer, MaskPart, Part, TextPart
from mto.families.kinds import family_kinds, find_adapter
from mto.families.load import EMBEDDED, LoadedModel, load_model, load_tokenizer, resolve
from mto.families.metadata import TrainingMetadata
from mto.families.save import save_model
from mto.families.sentinels import SENTINEL_SPELLING, add_sentinels, sentinel_ids
from mto.families.words import word_start_rows

__all__ = [
    "EMBEDDED",
    "SENTINEL_SPELLING",
    "Adapter",
    "Answer",
    "LoadedModel",
    "MaskPart",
    "Part",
    "TextPart",
    "TrainingMetadata",
    "add_sentinels",
    "family_kinds",
    "find_adapter",
    "load_model",
    "load_tokenizer",
    "resolve",
    "save_model",
    "sentinel_ids",
    "word_start_rows",
]
