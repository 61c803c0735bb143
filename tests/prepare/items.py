"""Small tasks of the kinds with items, and raw text about them with planted leaks."""

from __future__ import annotations

from pathlib import Path

from mto.tasks import Task, task_from_rows

PLACES = {
    "milk": "the cold fridge", "bread": "the wooden box", "plate": "the tall cupboard", "broom": "the small closet",
    "soap": "the white basin", "towel": "the long rack", "knife": "the top drawer", "lamp": "the round table",
}  # fmt: skip
FILMS = [
    ("the plot drags on", "bad"),
    ("the acting shines", "good"),
    ("a dull evening", "bad"),
    ("what a joy it is", "good"),
]
FILES = {
    "multiple-choice": "phrases: ['{{ question }} The answer is']\n",
    "classification": (
        "labels:\n  good: {words: [great, lovely]}\n  bad: {words: [awful]}\nphrases: ['{{ text }} It was']\n"
    ),
    "text-to-text": "phrases: ['{{ source }}. In a sentence:']\n",
}


def question(thing: str) -> dict[str, object]:
    right = PLACES[thing]
    return {
        "question": f"Where do people usually keep the {thing}?",
        "choices": [right, "the deep sea"],
        "answer": right,
    }


def rows(kind: str) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Train and test rows of a kind."""
    things = list(PLACES)
    if kind == "multiple-choice":
        both = [question(thing) for thing in things]
    elif kind == "classification":
        both = [{"text": text, "label": label} for text, label in FILMS]
        both += [{"text": f"{text} in part {n}", "label": label} for n, (text, label) in enumerate(FILMS)]
    else:
        both = [
            {"source": f"{thing}, stand", "target": f"The {thing} stands in {place}."}
            for thing, place in PLACES.items()
        ]
    return both[:4], both[4:]


def task(kind: str) -> Task:
    """The task in memory, with labels that have words; its rows are its train rows."""
    labels = {"good": ["great", "lovely"], "bad": ["awful"]} if kind == "classification" else None
    phrase = FILES[kind].partition("phrases: ['")[2].partition("']")[0]
    return task_from_rows(rows(kind)[0], kind=kind, name=f"own-{kind}", labels=labels, phrases=[phrase])


def write_tasks(folder: Path) -> tuple[str, ...]:
    """A task file for each kind, with train and test files beside it."""
    import json

    found = []
    for kind, more in FILES.items():
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        for name, some in zip(("train", "test"), rows(kind), strict=True):
            (place / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
        text = f"name: own-{kind}\nkind: {kind}\n{more}data:\n  splits: {{train: train.jsonl, test: test.jsonl}}\n"
        text += "  answers: text\n" if kind == "multiple-choice" else ""
        path = place / "task.yaml"
        path.write_text(text)
        found.append(str(path))
    return tuple(found)


LEAKS = {
    "multiple-choice": "Usually it is in the white basin that people keep soap.",
    "classification": "We saw that the plot drags on in part 0 of it.",
    "text-to-text": "They say the soap stands in the white basin at night.",
}
"""A sentence a kind that gives a test item away."""


def write_text(path: Path, many: int = 12) -> Path:
    """Sentences near the rows of each kind, general ones, and the leaks."""
    lines = [LEAKS[kind] for kind in FILES]
    for n in range(many):
        lines += [
            f"You can find the milk number {n} in the blue kitchen {n}.",
            f"The bread of day {n} was put on the shelf {n}.",
            f"The soup of day {n} was really awful and cold." if n % 3 == 0 else f"The walk of day {n} was great for me.",
            f"A plate number {n} stands on a wooden table near door {n}.",
            f"My uncle saw the big valley on day {n} of the long trip.",
        ]  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
