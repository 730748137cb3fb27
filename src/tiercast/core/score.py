"""The five-signal score: several judgements of one video as one number, the missing ones left out and named."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from tiercast.core.errors import InvalidInput

HIGHEST: Final = 100
"""Signals and the score are points of 0 to this."""
LONGEST_SHOWN: Final = 60
"""Characters of a wrong name or value that an error repeats."""
SURE_DECIMALS: Final = 9
"""Decimals of a score that binary fractions cannot spoil: .25 x 70 + .75 x 70 must not become 69.99999999999999."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One score and where it comes from; every mapping has the signals that were there, in the order of the weights."""

    overall_score: int
    weights: Mapping[str, float]
    """Effective shares of the score: they sum to 1."""
    signals: Mapping[str, float]
    """The values used, in points."""
    contributions: Mapping[str, float]
    """Points that each signal brings: weight x value. They sum to the score before it was rounded."""
    missing: tuple[str, ...]
    """Signals with a weight and no value; what they would have weighed is shared out in proportion."""

    @property
    def unrounded(self) -> float:
        """The score before it was rounded, the same whatever the order of the signals."""
        return math.fsum(self.contributions.values())


def score_signals(weights: Mapping[str, float], signals: Mapping[str, object]) -> Scored:
    """The score of these signals (points of 0 to 100; None or absent: missing), rounded to an integer, half up.

    Raises InvalidInput for a name without a weight, a value that is no number of points, and where all are missing.

    >>> made = score_signals({"rules": 3, "ml": 1}, {"rules": 80, "ml": 50})
    >>> made.overall_score, dict(made.contributions)
    (73, {'rules': 60.0, 'ml': 12.5})
    >>> made = score_signals({"rules": 3, "ml": 1}, {"rules": 80, "ml": None})
    >>> made.overall_score, dict(made.weights), made.missing
    (80, {'rules': 1.0}, ('ml',))
    >>> score_signals({"rules": 3, "ml": 1}, {"rule": 80})
    Traceback (most recent call last):
    tiercast.core.errors.InvalidInput: There is no signal 'rule'; did you mean 'rules'? The signals are rules, ml.
    >>> score_signals({"rules": 3, "ml": 1}, {"rules": 101})
    Traceback (most recent call last):
    tiercast.core.errors.InvalidInput: The signal 'rules' is 101; a signal is a number of 0 to 100, or null where it ...
    """
    given = present(weights, signals)
    if not given:
        raise InvalidInput(f"Every signal is missing, so there is no score. Give one of {', '.join(weights)}.")
    shares = _shares({name: weights[name] for name in given})
    contributions = {name: shares[name] * value for name, value in given.items()}
    missing = tuple(name for name in weights if name not in given)
    return Scored(_half_up(math.fsum(contributions.values())), shares, given, contributions, missing)


def present(weights: Mapping[str, float], signals: Mapping[str, object]) -> dict[str, float]:
    """The signals that are there, in the order of the weights; raises InvalidInput for a wrong name or value."""
    for name in signals:
        if name not in weights:
            raise InvalidInput(_unknown(name, weights))
    return {name: _points(name, signals[name]) for name in weights if signals.get(name) is not None}


def _points(name: str, value: object) -> float:
    """A signal's value as a number; raises InvalidInput unless it is one of 0 to 100."""
    # A bool is an int in Python, and NaN compares false with everything.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= HIGHEST:
        raise InvalidInput(
            f"The signal {name!r} is {shown(value)}; a signal is a number of 0 to {HIGHEST}, or null where it is "
            "missing."
        )
    return float(value)


def shown(value: object) -> str:
    """A wrong value as an error repeats it: at most 60 characters, whatever it is.

    >>> shown("yes"), shown(10**5000), shown([0] * 99)
    ("'yes'", 'a number of more than 1,000 bits', 'a list of 99')
    """
    if isinstance(value, int) and value.bit_length() > 1_000:
        return "a number of more than 1,000 bits"  # Python refuses to write those of more than 4,300 digits
    if isinstance(value, list | Mapping):  # megabytes are not written out to show a line of them
        return f"a list of {len(value)}" if isinstance(value, list) else f"an object of {len(value)} fields"
    text = repr(value[: LONGEST_SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as shares of their sum; first of the largest, since the sum of two large ones may be no number."""
    for name, weight in weights.items():
        if not 0 < weight < math.inf:
            raise InvalidInput(f"The weight of the signal {name!r} is {weight}; score.weights takes numbers above 0.")
    largest = max(weights.values())
    parts = {name: weight / largest for name, weight in weights.items()}
    whole = math.fsum(parts.values())
    return {name: part / whole for name, part in parts.items()}


def _half_up(score: float) -> int:
    """The nearest integer, halves up.

    >>> _half_up(72.5), _half_up(73.49999), _half_up(72.49999999999999)
    (73, 73, 73)
    """
    return math.floor(round(score, SURE_DECIMALS) + 0.5)


def _unknown(name: str, weights: Mapping[str, float]) -> str:
    near = get_close_matches(name[:LONGEST_SHOWN], weights, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    return f"There is no signal {shown(name)}{meant} The signals are {', '.join(weights)}."
