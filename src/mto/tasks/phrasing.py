"""Two phrasings of a task that was guessed, and words for its labels: a beginning, for the user to reword."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from mto.tasks.guess import Guess
from mto.tasks.profile import key_of

WORDS: dict[str, tuple[str, ...]] = {
    "positive": ("great", "good"), "pos": ("great", "good"), "negative": ("terrible", "bad"), "neg": ("terrible", "bad"),
    "neutral": ("okay", "average"), "yes": ("yes",), "no": ("no",), "true": ("true",), "false": ("false",),
    "entailment": ("true", "yes"), "contradiction": ("false", "no"), "notentailment": ("false", "no"),
}  # fmt: skip
"""Words for names of labels that are common: what follows "It was" or "True or false?"."""
PLAIN = {"text", "input", "source", "target", "output", "head", "tail", "answer", "label", "labels", "class", "y", "x", "targets", "object",
         "completion", "response", "gold", "tgt"}  # fmt: skip
"""Names of columns that say nothing about what the column is."""


def spoken(name: str) -> str:
    """A name as words: marks and braces gone, camel case apart, lower case; empty where nothing is left.

    >>> spoken("AtLocation"), spoken("main_topic"), spoken("{{ x }}%")
    ('at location', 'main topic', 'x')
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[\W_]+", " ", apart).split()).lower()


def two_phrases(found: Guess, relation: str = "") -> tuple[str, str]:
    """Two natural phrases that end where the answer begins.

    Args:
        relation: of a completion: the relation's name.
    """
    if found.kind == "multiple-choice":
        before = "".join(f"{{{{ {name} }}}} " for name in ("context", "fact") if name in found.columns)
        return before + "{{ question }} The answer is", before + "{{ question }}"
    if found.kind == "classification":
        return _of_labels(found)
    if found.kind == "text-to-text":
        target = found.columns["target"]
        # Of several columns none is the name of what they hold: ref1, ref2.
        name = (_telling(target) if isinstance(target, str) else "") or "answer"
        return f"{{{{ source }}}} The {name}:", f"{{{{ source }}}} {name.capitalize()}:"
    name = spoken(relation) if "relation" in found.columns else _telling(str(found.columns["tail"]))
    if "relation" in found.columns and name:
        return f"{{{{ head }}}} {name}", f"{{{{ head }}}}, {name}:"
    name = name or "answer"
    return f"{{{{ head }}}}. The {name} is", f"The {name} of {{{{ head }}}} is"


def _of_labels(found: Guess) -> tuple[str, str]:
    names = {key_of(name) for name in found.labels}
    texts = "{{ text }}"
    if "text2" in found.columns:
        if names & {"entailment", "contradiction"}:
            ask = "True, false or neither?" if "neutral" in names else "True or false?"
            return (
                f"{{{{ text }}}} Question: {{{{ text2 }}}} {ask} The answer is",
                f"{{{{ text }}}} {{{{ text2 }}}} {ask}",
            )
        texts = "{{ text }} {{ text2 }}"
    if names <= {"positive", "negative", "neutral", "pos", "neg"}:
        return f"{texts} It was", f"{texts} All in all, it was"
    if names <= {"true", "false", "yes", "no"}:
        ask = "True or false?" if "true" in names else "Yes or no?"
        return f"{texts} {ask} The answer is", f"{texts} {ask}"
    name = _telling(str(found.columns["label"])) or "kind"
    return f"{texts} The {name} is", f"{texts} {name.capitalize()}:"


def _telling(column: str) -> str:
    """The words of a column's name where they say something."""
    return "" if key_of(column) in PLAIN else spoken(column)


def words_for(labels: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Words for each label; no word stands for two of them.

    >>> words_for(["positive", "not_spam"])
    {'positive': ('great', 'good'), 'not_spam': ('not spam',)}
    >>> words_for(["entailment", "neutral", "contradiction"])["neutral"]
    ('neither', 'maybe')
    """
    keys = {key_of(name) for name in labels}
    # Beside the two of inference, neutral is no mood.
    table = {**WORDS, "neutral": ("neither", "maybe")} if keys & {"entailment", "contradiction"} else WORDS
    known = [table.get(key_of(name)) for name in labels]
    # The table's words only where all labels have some and none is shared; else a label is called by its name.
    flat = [word for words in known for word in words or ()]
    if len(flat) == len(set(flat)):
        usual = {name: words for name, words in zip(labels, known, strict=True) if words}
    else:
        usual = {}
    plain = {name: (spoken(name) or name,) for name in labels}
    found = {name: usual.get(name) or plain[name] for name in labels}
    every = [word.casefold() for words in found.values() for word in words]
    return found if len(every) == len(set(every)) else {name: (name,) for name in labels}
