"""What only a forecast has to say of its run, in sentences for screen and page."""

from collections.abc import Mapping
from typing import Any, Final

from tiercast.render.output import percent


def forecast_sentences(document: Mapping[str, Any]) -> list[str]:
    """What only a forecast has to say: where it is sure, whose videos it knows less of, labels and history."""
    return [*_confident_sentences(document), *_label_sentences(document), *_history_sentences(document)]


def _confident_sentences(document: Mapping[str, Any]) -> list[str]:
    part = document["confident"]
    if part is None:
        return ["No share of its predictions is proven right often enough to be called confident."]
    told = f"Confident (a tier's probability of {part['threshold']:.2f} or more): {part['coverage']:.0%} of the test "
    return [f"{told}videos, {percent(part['accuracy']['value'])} of them right."]


def _label_sentences(document: Mapping[str, Any]) -> list[str]:
    labels = document["labels"]
    if not labels:
        return []
    how = ", ".join(f"{count:,} {HOW[name]}" for name, count in labels["how"].items())
    told = [
        f"Labels: {labels['labelled']:,} of {labels['candidates']:,} rows ({how}); {labels['unlabelled']:,} none yet."
    ]
    if labels["known_at"]:
        ages = "; ".join(
            f"{side} {age[0]:.0f} / {age[1]:.0f} / {age[2]:.0f}" for side, age in labels["age_days"].items()
        )
        told.append(
            f"Training rows whose label had been observed before the test begins: {labels['training_rows_strict']:,}; "
            f"counting labels from the horizon on: {labels['training_rows_as_scraped']:,}; used: "
            f"{labels['known_at'].replace('_', ' ')}. Label age in days (10, 50, 90 %): {ages}."
        )
    return told


HOW: Final = {
    "nearest": "measured within a day of the horizon",
    "interpolated": "interpolated",
    "later": "measured later",
    "last": "last measurement",
}


def _history_sentences(document: Mapping[str, Any]) -> list[str]:
    told = []
    embargoed = document["embargoed"]
    if embargoed:
        metrics = embargoed["metrics"]
        told.append(
            f"With nothing known of posts younger than {embargoed['days']} days: accuracy "
            f"{percent(metrics['accuracy']['value'])}, log loss {metrics['log_loss']['value']:.3f}."
        )
    for part in document["slices"]:
        metrics = part["metrics"]
        told.append(
            f"{part['name'][0].upper()}{part['name'][1:]} ({part['rows']:,}): accuracy "
            f"{percent(metrics['accuracy']['value'])}, log loss {metrics['log_loss']['value']:.3f}."
        )
    if len(document["learning_curve"]) > 1:
        points = ", ".join(f"{point['rows']:,} {percent(point['accuracy'])}" for point in document["learning_curve"])
        told.append(f"Accuracy by newest training rows: {points}.")
    return told
