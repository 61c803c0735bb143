"""PEFT reads what is exported with the same logits, and what PEFT writes is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mto.errors import RunError, TemplateError
from mto.prompts import SavedPrompt, placed
from mto.prompts.peft import export_peft, import_peft
from mto.train import collate
from tests.conftest import missing
from tests.prompts.conftest import encoded, made, numbered, template_of


@pytest.fixture
def peft() -> Any:
    try:
        import peft
    except ImportError:
        missing("extra 'peft' (pip install 'mto[peft]')")
    return peft


def saved_prompt(loaded: Any, family: str) -> tuple[Any, Any, SavedPrompt]:
    template = template_of(family, loaded)
    prompt = made(template, loaded)
    return (
        template,
        prompt,
        SavedPrompt.of(prompt.vectors(), loaded, template.family, "embedding", template.soft),
    )


@pytest.mark.parametrize("family", ["pt", "masked-pre-pt"])
def test_peft_gives_the_same_logits(family: str, tiny: Any, peft: Any, tmp_path: Path) -> None:
    template, prompt, saved = saved_prompt(tiny, family)
    export_peft(saved, tiny, tmp_path / "out")
    items = encoded(template, tiny)
    ours = collate([(i.source_ids, i.target_ids) for i in numbered(prompt, tiny, items)], 0, multiple_of=1)
    # PEFT prepends its vectors by itself: it is given what stands behind them.
    theirs = collate([(i.source_ids[4:], i.target_ids) for i in items], 0, multiple_of=1)
    inputs = {"decoder_input_ids": ours.labels.clamp(min=0)}
    with torch.no_grad():
        with placed(tiny.model, prompt()):
            wanted = tiny.model(input_ids=ours.input_ids, attention_mask=ours.attention_mask, **inputs).logits
        model = peft.PeftModel.from_pretrained(tiny.model, tmp_path / "out")
        found = model(input_ids=theirs.input_ids, attention_mask=theirs.attention_mask, **inputs).logits
    assert torch.allclose(found, wanted, atol=1e-5)
    model.save_pretrained(tmp_path / "back")
    again = import_peft(tmp_path / "back", tiny, family)
    assert torch.equal(again.vectors["#1"], saved.vectors["#1"])


def test_of_twice_the_rows_the_trained_half_is_read(tiny_t5: Any, peft: Any, tmp_path: Path) -> None:
    config = peft.PromptTuningConfig(task_type="SEQ_2_SEQ_LM", num_virtual_tokens=4)
    model = peft.get_peft_model(tiny_t5.model, config)
    table = model.prompt_encoder["default"].embedding.weight
    assert len(table) == 8
    model.save_pretrained(tmp_path)
    assert torch.equal(import_peft(tmp_path, tiny_t5).vectors["#1"], table[:4].detach())


def test_what_peft_cannot_hold_is_said(tiny_t5: Any, tmp_path: Path) -> None:
    saved = saved_prompt(tiny_t5, "post-pt")[2]
    with pytest.raises(TemplateError, match="before everything else"):
        export_peft(saved, tiny_t5, tmp_path / "out")
    with pytest.raises(RunError, match="no soft prompt"):
        import_peft(tmp_path, tiny_t5)
    with pytest.raises(TemplateError, match="before everything else"):
        import_peft(tmp_path, tiny_t5, "masked-post-pt")
