"""Running totals by key over time: how often something was used before an instant, and how it did."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiercast.learn.timeline import NOBODY, Ints, Stamps


@dataclass(frozen=True, slots=True)
class Ledger:
    """Entries of whole numbers under keys, each counted from its second on."""

    numbers: dict[str, int]
    stamps: Stamps
    count: Ints
    """Sum of the first i entries' counts ``(n + 1,)``, in the order of the stamps."""
    total: Ints

    @classmethod
    def of(cls, keys: Sequence[str | None], seconds: Ints, counts: Ints, amounts: Ints) -> "Ledger":
        """A ledger of these entries; those without a key are left out."""
        numbers: dict[str, int] = {}
        codes = np.array([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
        kept = codes >= 0
        stamps = Stamps.of(codes[kept], seconds[kept])
        return cls(numbers, stamps, _running(counts[kept][stamps.order]), _running(amounts[kept][stamps.order]))

    def before(self, keys: Sequence[str | None], seconds: Ints, *, within: int | None = None) -> tuple[Ints, Ints]:
        """Count and total of each key strictly before its second, of the last ``within`` seconds only if given.

        >>> ledger = Ledger.of(["a", "a"], np.array([10, 20]), np.array([1, 1]), np.array([5, 7]))
        >>> [part.tolist() for part in ledger.before(["a", "a", "b"], np.array([20, 21, 99]))]
        [[1, 2, 0], [5, 12, 0]]
        """
        codes = np.array([NOBODY if key is None else self.numbers.get(key, NOBODY) for key in keys], dtype=np.int64)
        start, end = self.stamps.before(codes, seconds)
        if within is not None:
            _, start = self.stamps.before(codes, np.maximum(seconds - within, 0))
        return self.count[end] - self.count[start], self.total[end] - self.total[start]


def _running(values: Ints) -> Ints:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(values, dtype=np.int64)])
