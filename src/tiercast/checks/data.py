"""Questions put to the data (D1xx): doubt here holds the run before anything is fitted."""

from typing import Final

from tiercast.checks.change import CHANGE_CHECKS
from tiercast.checks.evidence import Check, DataEvidence
from tiercast.core.findings import Finding, Outcome, at_least
from tiercast.core.release import Label

MIN_TRAINING_ROWS_A_TIER: Final = 10
"""Three folds then judge at least three rows of every tier."""
MIN_TEST_ROWS: Final = 50
"""An accuracy of .6 is then known to 14 points; with twenty rows luck alone passes."""


_MORE_VIDEOS: Final[dict[Label, str]] = {
    "views": "Usable means views above 0 and likes known. Ingest more videos, or set retrain.fallback_path.",
    "given": "Ingest more videos, or use a larger file.",
}


class EnoughVideos:
    """D101."""

    code = "D101"
    title = "Enough videos"
    why = "A few dozen videos fit any model; the test part must be able to show a difference."

    def judge(self, evidence: DataEvidence) -> Finding:
        """At least ``retrain.min_videos`` usable rows."""
        observed, required = evidence.usable_videos, evidence.min_videos
        outcome = at_least(observed, required)
        sentence = f"{observed:,} usable videos in {evidence.source}; {required:,} are required (retrain.min_videos)."
        if outcome is Outcome.FAIL:
            sentence += f" {evidence.shortage or _MORE_VIDEOS[evidence.label]}"
        return Finding(self.code, self.title, outcome, observed, required, sentence, observed)


class EveryTierPopulated:
    """D102."""

    code = "D102"
    title = "Every tier has rows"
    why = "Heavy ties in views, or a one-sided file, can leave a tier empty; a model cannot learn what it never saw."

    def judge(self, evidence: DataEvidence) -> Finding:
        """At least ten training rows and one test row in each of the five tiers."""
        required = MIN_TRAINING_ROWS_A_TIER
        if not evidence.training_tiers:
            sentence = "Too few videos to cut tiers, so this was not asked."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, required, sentence)
        thin = [
            tier
            for tier, (training, test) in enumerate(zip(evidence.training_tiers, evidence.test_tiers, strict=True), 1)
            if training < required or test < 1
        ]
        smallest = min(evidence.training_tiers)
        lacking_test = smallest >= required
        if not thin and sum(evidence.test_tiers) < MIN_TEST_ROWS:
            sentence = (
                f"The test part has {sum(evidence.test_tiers)} rows; {MIN_TEST_ROWS} are required, or chance decides. "
                "Ingest more videos, or raise retrain.test_share."
            )
            observed, rows = sum(evidence.test_tiers), sum(evidence.training_tiers)
            return Finding(self.code, self.title, Outcome.FAIL, observed, MIN_TEST_ROWS, sentence, rows)
        if not thin:
            sentence = f"The smallest tier has {smallest:,} training rows; {required} are required."
            return Finding(
                self.code, self.title, Outcome.PASS, smallest, required, sentence, sum(evidence.training_tiers)
            )
        sentence = (
            f"Too few rows in tier {', '.join(map(str, thin))}: training {list(evidence.training_tiers)}, test "
            f"{list(evidence.test_tiers)}; each tier needs {required} training rows and a test row. "
            + _remedy(evidence)
        )
        observed, required = (min(evidence.test_tiers), 1) if lacking_test else (smallest, required)
        rows = sum(evidence.training_tiers)
        return Finding(self.code, self.title, Outcome.FAIL, observed, required, sentence, rows)


def _remedy(evidence: DataEvidence) -> str:
    if not any(evidence.training_tiers):
        return "No row is left to train on; labels.known_at and retrain.test_share decide which are."
    if evidence.validation_cuts is not None and min(evidence.training_tiers) >= MIN_TRAINING_ROWS_A_TIER:
        return (
            "The newest videos, which test, do not reach all tiers of the older ones: a source with other audiences "
            "was added or dropped. Keep sources in homes of their own, or set tiers.relative_to to creator or cohort."
        )
    if evidence.label == "given":
        return "The fallback file must hold labels of all five tiers, in both parts."
    return "Many videos share the same views, so the edges fall together: ingest more varied videos."


class TimeEnough:
    """D104."""

    code = "D104"
    title = "Videos of different times"
    why = "A forecast is chosen by how it did on later videos; a set from one moment has no later."

    def judge(self, evidence: DataEvidence) -> Finding:
        """At least two blocks of time in the training part to judge candidates on, each with older rows to fit."""
        cuts = evidence.validation_cuts
        if cuts is None:
            sentence = "Asked of forecasts only, once they have rows to train on."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, 2, sentence)
        outcome = at_least(cuts, 2)
        sentence = f"The training part has {cuts} blocks of time that older videos can forecast; 2 are required."
        if outcome is Outcome.FAIL:
            sentence += (
                " Each needs 100 older videos, of every tier: ingest more, posted over a longer time, or raise "
                "retrain.max_videos."
            )
        return Finding(self.code, self.title, outcome, cuts, 2, sentence)


DATA_CHECKS: Final[tuple[Check[DataEvidence], ...]] = (
    EnoughVideos(),
    EveryTierPopulated(),
    TimeEnough(),
    *CHANGE_CHECKS,
)
