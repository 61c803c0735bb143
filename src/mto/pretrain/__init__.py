"""A checkpoint of one's own: starts, tokenizers, text shards, training, validation and a knowledge probe."""

from mto.pretrain.config import PretrainConfig
from mto.pretrain.run import PretrainResult, pretrain

__all__ = ["PretrainConfig", "PretrainResult", "pretrain"]
