"""Soft prompts for tiny models."""

from __future__ import annotations

from typing import Any

from mto.prompts import SoftPrompt, make_prompt
from mto.templates import Encoded, Template, TemplateFamily, compile_template, encode_many

PHRASE = "{{ head }} is used for"
HEADS = ("hammer", "the big dog", "bread", "a red car in the garden", "knife")
TAILS = ("run", "eat food", "cook food", "find a book", "clean the house")


def family(source: str, target: str = "{{ answer }}") -> TemplateFamily:
    return TemplateFamily("own", source=source, target=target)


def template_of(which: str | TemplateFamily, loaded: Any, vectors: int | None = 4) -> Template:
    return compile_template(which, phrase=PHRASE, adapter=loaded.adapter).with_vectors(vectors)


def encoded(template: Template, loaded: Any, heads: tuple[str, ...] = HEADS) -> list[Encoded]:
    """Examples of different lengths, with their answers."""
    rendered = [
        template.render({"head": head, "relation": "Use"}, tail)
        for head, tail in zip(heads, TAILS, strict=False)
    ]
    return encode_many(rendered, loaded.adapter, soft=True)


def numbered(prompt: SoftPrompt, loaded: Any, items: list[Encoded]) -> list[Encoded]:
    numbers = prompt.numbers(loaded.adapter.vocab_rows)
    return [numbers.put(item) for item in items]


def made(template: Template, loaded: Any, encoder: str = "embedding", seed: int = 0) -> SoftPrompt:
    return make_prompt(loaded, template.soft, encoder=encoder, seed=seed)
