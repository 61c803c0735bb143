"""What is known by name, as rows for a list."""

from __future__ import annotations

from typing import Any, Literal

from mto.registry import Registry

Kind = Literal["tasks", "templates", "families", "models", "objectives", "metrics"]


def known_names(kind: Kind | str) -> list[dict[str, Any]]:
    """One row a name, each with the same keys; weights and data are not read.

    >>> [row["name"] for row in known_names("families")][:2]
    ['mapping', 'masked-mapping']
    """
    if kind == "tasks":
        from mto.tasks import list_tasks

        return [
            {
                "name": task.name,
                "kind": task.kind,
                "type": task.type,
                "data": "give --data" if task.needs_data else "in the package",
                "what": task.description or task.title,
            }
            for task in list_tasks()
        ]
    if kind == "families":
        from mto.templates import list_families

        return [
            {
                "name": family.name,
                "source": family.source,
                "target": family.target,
                "looks like": family.objective,
            }
            for family in list_families()
        ]
    if kind == "templates":
        return _templates()
    if kind == "models":
        return _models()
    registry: Registry[Any]
    if kind == "objectives":
        from mto.objectives.registry import objectives as registry
    else:
        from mto.evaluate.metrics.registry import metrics as registry
    return [{"name": name, "what": registry._help[name]} for name in registry]


def _templates() -> list[dict[str, Any]]:
    """How each family writes an example, and for which tasks and ways of tuning it is."""
    from mto.templates import list_families

    return [
        {
            "name": family.name,
            "for": "multiple-choice" if family.choices else "every kind",
            "needs a phrase": "yes" if "phrase" in family.source else "no",
            "tunes": "a soft prompt" if family.soft else "weights",
            "encoder reads": family.source,
            "decoder writes": family.target,
        }
        for family in list_families()
    ]


def _models() -> list[dict[str, Any]]:
    """The embedded checkpoints, read from their config files."""
    from mto.families.load import EMBEDDED, embedded_names
    from mto.runs import read_json

    rows = []
    for name in embedded_names():
        told = read_json(EMBEDDED / name / "config.json").get("mto", {})
        weights = sum(file.stat().st_size for file in (EMBEDDED / name).glob("*.safetensors"))
        rows.append(
            {
                "name": name,
                "tokens seen": told.get("tokens_seen"),
                "objectives": _shares(told.get("objectives", {})),
                "last stage": _shares(told.get("latest", {})),
                "MB": round(weights / 1e6),
            }
        )
    return rows


def _shares(objectives: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in objectives.items())
