"""Every error that a person can mend is an `MtoError`: it says what was found, where, and what to do."""

from __future__ import annotations

from typing import Any


class MtoError(Exception):
    """Base of all errors that `mto` raises on purpose.

    Args:
        message: what was found and what was expected.
        hint: what to do about it (one sentence), if known.
        where: the place, such as ``tasks.csv:12``, if there is one.

    >>> print(MtoError("column 'tail' is missing", hint="rename 'tails' to 'tail'", where="a.csv:1"))
    a.csv:1: column 'tail' is missing
      -> rename 'tails' to 'tail'
    """

    def __init__(self, message: str, *, hint: str | None = None, where: str | None = None) -> None:
        self.message, self.hint, self.where = message, hint, where
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text}\n  -> {hint}" if hint else text)


class UnknownNameError(MtoError):
    """A name that no registry, library or file knows."""


class ConfigError(MtoError):
    """A configuration that does not fit its schema."""


class DataError(MtoError):
    """Input data that cannot be used as they are."""


class FamilyError(MtoError):
    """A checkpoint or tokenizer that no model family can drive, or a mask that a family cannot write."""


class ObjectiveError(MtoError):
    """An unsupervised objective that cannot be applied to the given tokens."""


class TemplateError(MtoError):
    """A template that does not parse, lint or render."""


class TrainingError(MtoError):
    """Training that cannot go on, such as a loss that is not a number."""


class RunError(MtoError):
    """A run folder that is missing, half-written or made by something else."""


class Interrupted(MtoError):  # noqa: N818 - not a fault: the user asked to stop, and the state is saved
    """Work that stopped on request after saving its state; the message says how to go on."""


def error_json(error: MtoError) -> dict[str, Any]:
    """An error as JSON, for another process.

    >>> str(error_from_json(error_json(DataError("is empty", where="a.txt"))))
    'a.txt: is empty'
    """
    return {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "where": error.where,
    }


def error_from_json(value: dict[str, Any]) -> MtoError:
    """What `error_json` gave."""
    kind = globals().get(value["type"], MtoError)
    error: MtoError = kind(value["message"], hint=value["hint"], where=value["where"])
    return error
