"""What a release serves: one model or the average of several, calibrated, and a range of views if it can tell one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tiercast.core.canonical import canonical_json
from tiercast.core.errors import InvalidInput
from tiercast.learn.models import Inputs, TierModel, ViewsModel, load_model

FILE: Final = "blend.json"

Floats = NDArray[np.float64]


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Sharper below 1, flatter above: p ** (1 / temperature), shared out to 1 again (Guo et al. 2017).

    >>> tempered(np.array([[0.8, 0.2]]), 0.5).round(3).tolist()
    [[0.941, 0.059]]
    """
    if temperature == 1.0:
        return probabilities
    powers = np.maximum(probabilities, np.finfo(float).tiny) ** (1 / temperature)
    shared: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shared


@dataclass(frozen=True, slots=True)
class Blend:
    """The mean of its members' probabilities, tempered."""

    members: tuple[TierModel, ...]
    temperature: float = 1.0
    ranges: ViewsModel | None = None
    """Tells the range of views; often a member too."""
    range_levels: tuple[float, float] = (0.1, 0.9)
    """Where its range begins and ends, so that four in five videos it has not seen end inside."""

    def probabilities(self, inputs: Inputs) -> Floats:
        """Tier probabilities (n_videos, n_tiers)."""
        return tempered(mean_of([member.probabilities(inputs) for member in self.members]), self.temperature)

    def views_range(self, inputs: Inputs) -> Floats | None:
        """Low end, middle and high end of the 80 % range of views (n_videos, 3).

        None where no regression on views came with it.
        """
        if self.ranges is None:
            return None
        low, high = self.range_levels
        logs = self.ranges.quantiles(inputs, (low, 0.5, high))
        return np.asarray(np.maximum(np.expm1(logs), 0.0), dtype=np.float64)

    def to_files(self) -> dict[str, bytes]:
        """The members' files and what binds them."""
        document = {
            "members": [member.kind for member in self.members],
            "temperature": self.temperature,
            "ranges": self.ranges is not None,
            "range_levels": self.range_levels,
        }
        files = {FILE: canonical_json(document)}
        for part in (*self.members, *([self.ranges] if self.ranges else [])):
            files |= part.to_files()
        return files


def mean_of(forecasts: list[Floats]) -> Floats:
    """The mean of several forecasts of the same videos, each (n_videos, n_tiers)."""
    if len(forecasts) == 1:
        return forecasts[0]
    mean: Floats = np.mean(forecasts, axis=0)
    return mean


def load_blend(files: Mapping[str, bytes]) -> Blend:
    """The blend that ``to_files`` wrote; raises InvalidInput for an unknown member or damaged content."""
    try:
        document = json.loads(files[FILE])
        kinds, temperature = [str(kind) for kind in document["members"]], float(document["temperature"])
        low, high = map(float, document["range_levels"])
        wants_ranges = bool(document["ranges"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InvalidInput(f"The release's {FILE} cannot be read ({type(error).__name__}: {error}).") from error
    if not kinds or not 0 < temperature < inf or not 0 <= low < high <= 1:
        raise InvalidInput(
            f"The release's {FILE} names {len(kinds)} models, the temperature {temperature} and the range {low} to "
            f"{high}; it has to be a model or more, a number above 0, and two rising shares."
        )
    loaded = {kind: load_model(kind, files) for kind in {*kinds, *(["ordinal"] if wants_ranges else [])}}
    ranges = loaded.get("ordinal")
    return Blend(
        members=tuple(loaded[kind] for kind in kinds),
        temperature=temperature,
        ranges=ranges if wants_ranges and isinstance(ranges, ViewsModel) else None,
        range_levels=(low, high),
    )
