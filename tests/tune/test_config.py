from __future__ import annotations

import pytest

from mto.config import parse
from mto.errors import ConfigError, UnknownNameError
from mto.tune import TuneConfig
from mto.tune.config import Settled
from mto.tune.defaults import DEFAULTS, defaults_for


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_default_has_a_source_and_makes_a_whole_configuration(key: tuple[str, str]) -> None:
    assert all(default.source for default in DEFAULTS[key].values())
    settled = TuneConfig(method=key[1]).resolve(key[0])
    for name, default in DEFAULTS[key].items():
        assert getattr(settled, name) == default.value
    open_fields = {name for name, value in settled.model_dump().items() if value is None}
    assert open_fields <= {"max_new_tokens", "dropout"}


def test_what_is_given_wins_and_an_unknown_kind_has_defaults_too() -> None:
    settled = TuneConfig(rates=(0.5,)).resolve("a kind of tomorrow")
    assert settled.rates == (0.5,)
    assert settled.optimizer == DEFAULTS["*", "finetune"]["optimizer"].value
    assert settled.resolve("t5") is settled
    with pytest.raises(UnknownNameError, match="did you mean 'prompt'"):
        defaults_for("t5", "promt")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rates": [1e-3, 1e-4]}, "ascend"),
        ({"ladder": [0, 5, 5]}, "ascend"),
        ({"ladder": []}, "ladder"),
        ({"rates": [0.0]}, "greater than 0"),
        ({"rate": 1e-3}, "did you mean 'rates'"),
        ({"select": "best"}, "likelihood"),
        ({"method": "lorra"}, "lora"),
        ({"lora": {"rank": 4}}, "belong to method 'lora'"),
        ({"prompt": {"vectors": [5]}}, "belong to method 'prompt'"),
        ({"method": "prompt", "prompt": {"vectors": [5, 5]}}, "stands twice"),
        ({"method": "prompt", "prompt": {"vector": [5]}}, "did you mean 'vectors'"),
    ],
)
def test_wrong_values_are_named(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse(TuneConfig, wrong)


def test_a_fine_tuning_is_written_as_before_there_were_prompts() -> None:
    assert (
        "prompt" not in TuneConfig().model_dump() and "prompt" not in TuneConfig().resolve("t5").model_dump()
    )
    settled = TuneConfig(method="prompt").resolve("t5")
    assert settled.prompt is not None and settled.prompt.encoders == ("residual-mlp",)
    assert Settled(**settled.model_dump(mode="json")) == settled
