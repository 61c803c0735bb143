"""To and from PEFT's prompt tuning, where the vectors stand before everything else (it can only prepend).

PEFT allocates twice the vectors for encoder-decoder models and trains the first half alone; here its setting for one half
(``num_transformer_submodules=1``) is always written, and only the first half of what others wrote is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mto.errors import RunError, TemplateError
from mto.families import LoadedModel
from mto.prompts.saving import SavedPrompt
from mto.runs import atomic_directory, write_json
from mto.templates import TemplateFamily, get_family
from mto.templates.language import parse_text

CONFIG, WEIGHTS, KEY = "adapter_config.json", "adapter_model.safetensors", "prompt_embeddings"


def export_peft(prompt: SavedPrompt, base: LoadedModel, folder: str | Path) -> Path:
    """Write a folder that ``peft.PeftModel.from_pretrained(model, folder)`` reads.

    The text behind the vectors is then given to PEFT's model as usual; logits are the same.

    Raises:
        TemplateError: the vectors do not stand before everything else.
        RunError: `base` is not the prompt's checkpoint, or the folder cannot be written.
    """
    prompt.check(base)
    _check_front(prompt.family)
    (vectors,) = prompt.vectors.values()
    config = base.model.config
    layers = getattr(config, "num_layers", None) or config.num_hidden_layers
    heads = getattr(config, "num_heads", None) or config.num_attention_heads
    with atomic_directory(folder) as temporary:
        save_file({KEY: vectors.contiguous()}, temporary / WEIGHTS)
        told: dict[str, Any] = {
            "peft_type": "PROMPT_TUNING",
            "task_type": "SEQ_2_SEQ_LM",
            "base_model_name_or_path": prompt.base_ref,
            "num_virtual_tokens": len(vectors),
            "token_dim": vectors.shape[1],
            "num_transformer_submodules": 1,
            "num_layers": int(layers),
            "num_attention_heads": int(heads),
            "prompt_tuning_init": "RANDOM",
            "inference_mode": True,
        }
        write_json(temporary / CONFIG, told)
    return Path(folder)


def import_peft(folder: str | Path, base: LoadedModel, family: str | TemplateFamily = "pt") -> SavedPrompt:
    """Read a prompt that PEFT's prompt tuning wrote for an encoder-decoder checkpoint.

    Args:
        base: the checkpoint that it was trained on; PEFT writes no hash of it, so this cannot be checked.
        family: how the rows behind the vectors were written; its vectors must stand before everything else.

    Raises:
        RunError: no prompt of PEFT's there, one of another method, or vectors of another width.
        TemplateError: the vectors of `family` stand elsewhere.
    """
    folder, family = Path(folder), get_family(family)
    _check_front(family)
    try:
        told = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        vectors = load_file(folder / WEIGHTS)[KEY]
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise RunError(
            f"holds no soft prompt that PEFT's prompt tuning wrote: {error}", where=str(folder)
        ) from error
    if told.get("peft_type") != "PROMPT_TUNING":
        raise RunError(
            f"was made by PEFT's {told.get('peft_type')}",
            where=str(folder),
            hint="only PROMPT_TUNING is read",
        )
    vectors = vectors[: int(told["num_virtual_tokens"])].float()
    width = int(base.model.get_input_embeddings().weight.shape[1])
    if vectors.shape[1] != width:
        raise RunError(f"has vectors of width {vectors.shape[1]}, the checkpoint {width}", where=str(folder))
    (name,) = {_name(family)}
    return SavedPrompt({name: vectors}, base.ref, base.revision, family, "embedding", {name: None})


def _name(family: TemplateFamily) -> str:
    (soft,) = parse_text(family.source, where=family.where("source")).softs
    return soft.name or "#1"


def _check_front(family: TemplateFamily) -> None:
    softs = parse_text(family.source, where=family.where("source")).softs
    if len(softs) != 1 or not family.source.replace(" ", "").startswith("{{soft("):
        raise TemplateError(
            "PEFT can only put vectors before everything else, and this family's stand elsewhere",
            where=family.where("source"),
            hint="export a prompt of 'pt', 'pre-pt' or 'masked-pre-pt'",
        )
