"""The score of a video from several signals, one of them the champion's prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.moments import Moment
from tiercast.core.score import Scored, present, score_signals, shown
from tiercast.flows.given import NO_PREDICTION, Unanswered

ML: Final = "ml"
"""The signal that the champion gives: a prediction's score."""
FIELDS: Final = ("signals", "moment", "video")


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """What is to be scored: signals by name, and a video for the champion to predict, in any ingest shape."""

    signals: Mapping[str, object]
    moment: Moment | None = None
    video: Mapping[str, object] | None = None

    @classmethod
    def of(cls, document: object, weights: Mapping[str, float]) -> "ScoreRequest":
        """The request in a JSON document; raises InvalidInput naming the field, its value and what was possible.

        >>> ScoreRequest.of({"signals": {"ml": 3}, "video": {"video_id": "1"}}, {"ml": 1})
        Traceback (most recent call last):
        tiercast.core.errors.InvalidInput: Both a video and the signal 'ml' were given, and the champion would...
        """
        if not isinstance(document, Mapping):
            raise InvalidInput(f"A score needs an object with the field signals; this is {shown(document)}.")
        for name in document:
            if name not in FIELDS:
                raise InvalidInput(_unknown_field(name))
        signals = _object(document, "signals") or {}
        asked = cls(signals, _moment(document.get("moment")), _object(document, "video"))
        present(weights, signals)
        if asked.video is not None:
            _check_room_for_a_prediction(weights, signals)
        return asked


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the champion says of the video, or why it says nothing."""

    prediction: Mapping[str, Any] | None = None
    why_none: str | None = None
    warnings: tuple[str, ...] = ()
    """What its caller should know, such as fields of the video that were not read."""


NOT_ASKED: Final = Forecast()
"""Where no video is given."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score, the prediction in it, and what the caller should know of it."""

    scored: Scored
    prediction: Mapping[str, Any] | None
    warnings: tuple[str, ...] = ()

    def to_document(self) -> dict[str, object]:
        """The answer of ``score --json`` and of the route."""
        return {
            "overall_score": self.scored.overall_score,
            "weights": dict(self.scored.weights),
            "signals": dict(self.scored.signals),
            "contributions": dict(self.scored.contributions),
            "missing": list(self.scored.missing),
            "ml": None if self.prediction is None else dict(self.prediction),
            "warnings": list(self.warnings),
        }


def score(weights: Mapping[str, float], asked: ScoreRequest, forecast: Forecast = NOT_ASKED) -> Score:
    """The score of what was asked, a prediction as the signal ``ml``.

    Raises InvalidInput where every signal is missing, and Unavailable where only the champion could have given one.
    """
    signals, warnings = dict(asked.signals), [*forecast.warnings]
    if forecast.prediction is not None:
        signals[ML] = forecast.prediction["score"]
    if forecast.why_none is not None:
        if not present(weights, signals):
            raise Unavailable(f"The video is all there was to score by, and it has no prediction. {forecast.why_none}")
        warnings.append(f"The signal {ML!r} is missing. {forecast.why_none}")
    if asked.moment is not None and asked.video is None:
        warnings.append("A moment says how a video is predicted; no video was given, so it changed nothing.")
    return Score(score_signals(weights, signals), forecast.prediction, tuple(warnings))


def forecast_of(
    predictions: Sequence[Mapping[str, Any]],
    unanswered: Sequence[Unanswered],
    moment: Moment | None,
    warnings: Sequence[str] = (),
) -> Forecast:
    """The one prediction, else why no champion answers such a video; raises InvalidInput for a video at fault."""
    if predictions:
        return Forecast(predictions[0], warnings=tuple(warnings))
    if not unanswered:
        raise InvalidInput("The video cannot be predicted: it is no sound row with a video_id.")
    if unanswered[0].reason == NO_PREDICTION and moment is None:
        return Forecast(why_none=unanswered[0].detail, warnings=tuple(warnings))
    raise InvalidInput(f"The video cannot be predicted. {unanswered[0].detail}")


def _check_room_for_a_prediction(weights: Mapping[str, float], signals: Mapping[str, object]) -> None:
    if ML not in weights:
        raise InvalidInput(
            f"A video was given, but score.weights has no signal {ML!r} that its prediction could be: it has "
            f"{', '.join(weights)}. Leave the video out, or give {ML!r} a weight in the settings."
        )
    if signals.get(ML) is not None:
        raise InvalidInput(
            f"Both a video and the signal {ML!r} were given, and the champion would predict the one for the other. "
            f"Leave the video out to score by the signal ({shown(signals[ML])}), or the signal to have it predicted."
        )


def _object(document: Mapping[str, object], field: str) -> Mapping[str, object] | None:
    value = document.get(field)
    if value is not None and not isinstance(value, Mapping):
        raise InvalidInput(f"The field {field!r} is {shown(value)}; it has to be an object, or null.")
    return value


def _moment(value: object) -> Moment | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in list(Moment):
        raise InvalidInput(f"The field 'moment' is {shown(value)}; the moments are {', '.join(Moment)}.")
    return Moment(value)


def _unknown_field(name: object) -> str:
    near = get_close_matches(str(name)[:60], FIELDS, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    return f"A score has no field {shown(name)}{meant} The fields are {', '.join(FIELDS)}."
