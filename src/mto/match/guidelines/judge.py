"""The guidelines as one signal: every rule's lean, and the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mto.config import Strict
from mto.match.evidence import Lean
from mto.match.guidelines.features import Measured, measure
from mto.match.guidelines.rules import RULES, Rule
from mto.match.guidelines.tagger import Tagger, get_tagger
from mto.match.guidelines.thresholds import Thresholds, shipped
from mto.tasks import Form, Row
from mto.tasks.form import PLAIN


class RuleSays(Strict):
    """What one rule says.

    Attributes:
        name: ``input``, ``form``, ``length``, ``spread``, ``openings``, ``overlap`` or ``question``.
        value: the figure that it measured.
        cut: the value at which it leans to neither type.
        scale: how far from the cut a rule with many rows leans 0.76.
        weight: what a full lean adds to the log-odds of the whole.
        lean: which way it leans, with what it saw; 0 where it cannot say.
    """

    name: str
    value: float
    cut: float
    scale: float
    weight: float
    lean: Lean

    @property
    def pull(self) -> float:
        """What the rule adds to the log-odds of mask-filling: ``weight * lean``."""
        return self.weight * self.lean.value


class Guidelines(Strict):
    """The first signal of matching: rules on the shape of the data, with no model (docs/method.md 5).

    Attributes:
        rules: what each rule says, in the order of the table.
        lean: the whole: ``tanh(z / 2)`` with ``z`` = bias + sum of weight * lean, that is twice the probability of
            mask-filling, minus 1.
        features: every figure that was measured (`measure` says what they are).
        rows: how many rows were read.
        tagger: the tagger that gave parts of speech.
    """

    rules: tuple[RuleSays, ...]
    lean: Lean
    features: dict[str, float]
    rows: int
    tagger: str

    def rule(self, name: str) -> RuleSays:
        """One rule by its name. Raises `KeyError` when there is none."""
        return {says.name: says for says in self.rules}[name]


def guidelines(
    rows: Sequence[Row],
    *,
    relation: str | None = None,
    phrase: str | None = None,
    form: Form = PLAIN,
    tagger: str | Tagger = "auto",
    table: Thresholds | None = None,
) -> Guidelines:
    """Which task type the shape of labelled rows looks like; no model is read.

    Args:
        rows: labelled rows, train and dev (never test); one is enough to be answered, with little confidence.
        relation: the relation's name, for the sentence.
        phrase: the task's natural phrase as a template text; its last word helps the tagger.
        form: the kind of task; of a classification the shape of the labels speaks, and not that of the texts.
        tagger: ``auto``, ``lemminflect``, ``small``, or an object of one's own (`Tagger`).
        table: thresholds; default: those fitted on ``household``.

    Raises:
        DataError: there are no rows, or the tagger gave another number of tags than words.
        UnknownNameError: no such tagger, or it is not installed.

    >>> from mto.tasks import draw_split, load_task
    >>> task = load_task("household/xWant")
    >>> found = guidelines(draw_split(task, shots=16, seed=0).train, tagger="small")
    >>> found.lean.towards, found.rule("input").lean.saw
    ('map-phrasal', 'every input is a whole event')
    """
    chosen = get_tagger(tagger)
    thresholds = table or shipped()
    measured = measure(rows, chosen, phrase, form=form, short=thresholds.short_answer)
    says = tuple(_says(rule, measured, thresholds) for rule in RULES)
    odds = thresholds.bias * _trust(measured, thresholds) + sum(one.pull for one in says)
    value = math.tanh(odds / 2)
    return Guidelines(
        rules=says,
        lean=Lean(value=value, saw=_sentence(says, value, measured, relation)),
        features=dict(measured.values),
        rows=measured.rows,
        tagger=chosen.name,
    )


def _says(rule: Rule, measured: Measured, table: Thresholds) -> RuleSays:
    cut = table.rules[rule.name]
    saw, silent = rule.saw(measured), rule.silent(measured, table)
    return RuleSays(
        name=rule.name,
        value=measured.values[rule.feature],
        cut=cut.cut,
        scale=cut.scale,
        weight=cut.weight,
        lean=Lean(
            value=rule.lean(measured, table),
            saw=f"{saw}; no lean: {silent}" if silent and silent not in saw else saw,
        ),
    )


def _trust(measured: Measured, table: Thresholds) -> float:
    seen = measured.rows if measured.labels else measured.targets
    return seen / (seen + table.prior_rows)


def _sentence(says: Sequence[RuleSays], value: float, measured: Measured, relation: str | None) -> str:
    """Who speaks for the outcome, who against, and on how many rows."""
    ordered = sorted(says, key=lambda one: -abs(one.pull))
    sign = 1 if value >= 0 else -1
    forward = [one for one in ordered if one.pull * sign > 0.02][:3]
    against = [one for one in ordered if one.pull * sign < -0.02][:2]
    parts = [
        f"{relation}: " if relation else "",
        "; ".join(one.lean.saw for one in forward) or "no rule leans clearly",
    ]
    if against:
        parts.append("; against it: " + "; ".join(one.lean.saw for one in against))
    rows = f"{measured.rows} row" + ("s" if measured.rows != 1 else "")
    if measured.targets == 1 and measured.rows > 1:
        rows += ", all with the same target"
    elif measured.rows < 10:
        rows += ", few, so the lean is small"
    return "".join(parts) + f" ({rows})"
