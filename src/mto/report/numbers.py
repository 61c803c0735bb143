"""How numbers are written, the same in every kind of report."""

from __future__ import annotations

from mto.evaluate.statistics import Interval

NONE = "–"


def points(value: float | None) -> str:
    """A score or a percentage with one decimal.

    >>> points(18.349), points(None), points(-0.02)
    ('18.3', '–', '0.0')
    """
    return NONE if value is None else f"{round(value, 1) + 0.0:.1f}"


def signed(value: float) -> str:
    """A difference with its sign; the minus is a real one.

    >>> signed(2.31), signed(-0.5), signed(0.01)
    ('+2.3', '−0.5', '0.0')
    """
    rounded = round(value, 1) + 0.0
    return "0.0" if rounded == 0 else f"{rounded:+.1f}".replace("-", "−")


def span(interval: Interval, *, sign: bool = False, factor: float = 1.0) -> str:
    """The two ends of an interval in brackets.

    >>> span(Interval(1.0, 0.5, 1.5, 0.95, 2000, 3, 10))
    '[0.5, 1.5]'
    """
    write = signed if sign else points
    return f"[{write(factor * interval.low)}, {write(factor * interval.high)}]"


def estimate(interval: Interval, *, sign: bool = False) -> str:
    """A mean with its interval.

    >>> estimate(Interval(1.0, 0.5, 1.5, 0.95, 2000, 3, 10), sign=True)
    '+1.0 [+0.5, +1.5]'
    """
    return f"{(signed if sign else points)(interval.mean)} {span(interval, sign=sign)}"


def percent_gain(interval: Interval) -> str:
    """A ratio as a gain in percent with its interval.

    >>> percent_gain(Interval(0.236, 0.1, 0.4, 0.95, 2000, 3, 10))
    '+23.6 % [+10.0, +40.0]'
    """
    return f"{signed(100 * interval.mean)} % {span(interval, sign=True, factor=100)}"


def p_value(p: float) -> str:
    """A p-value with an equals or less-than sign.

    >>> p_value(0.0312), p_value(0.0004), p_value(0.4), p_value(1.0)
    ('= 0.031', '< 0.001', '= 0.40', '= 1.00')
    """
    if p < 0.001:
        return "< 0.001"
    return f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def rate(value: float) -> str:
    """A learning rate in the shortest scientific form.

    >>> rate(2e-4), rate(0.00015), rate(0.3), rate(0.0)
    ('2e-4', '1.5e-4', '0.3', '0')
    """
    if value == 0 or 0.01 <= value < 1000:
        return f"{value:g}"
    digits, exponent = f"{value:.2e}".split("e")
    return f"{float(digits):g}e{int(exponent)}"


def thousands(value: int) -> str:
    """A whole number with commas.

    >>> thousands(26800000)
    '26,800,000'
    """
    return f"{value:,}"


def duration(hours: float) -> str:
    """Hours as a person says them.

    >>> duration(0.01), duration(0.5), duration(2.25)
    ('36 seconds', '30 minutes', '2.2 hours')
    """
    seconds = hours * 3600
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 90 * 60 else f"{hours:.1f} hours"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "seed"), count(3, "family", "families")
    ('1 seed', '3 families')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def join(parts: list[str]) -> str:
    """Words in a row.

    >>> join(["a"]), join(["a", "b"]), join(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
