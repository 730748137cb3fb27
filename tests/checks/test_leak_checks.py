"""Results that are too good, and features that are another thing in use."""

from dataclasses import replace

import pytest

from checks.samples import BARS, BELOW, CANDIDATE, OF_GIVEN_LABELS, alone, bounds, evaluation
from tiercast.checks.evidence import CandidateEvidence, FeatureAlone, ServedMissing
from tiercast.checks.leaks import LEAK_CHECKS, MissingAsInUse, NoFeatureTellsAll, NotTooGood
from tiercast.core.findings import Outcome, Verdict, verdict_of

PASS, FAIL, OUT = Outcome.PASS, Outcome.FAIL, Outcome.NOT_APPLICABLE


def whole(accuracy: float, lower: float) -> CandidateEvidence:
    """A candidate of this accuracy, proven to be at least ``lower``."""
    found = evaluation(accuracy)
    return replace(CANDIDATE, evaluation=replace(found, bounds={**found.bounds, "accuracy": bounds(lower)}))


@pytest.mark.parametrize(
    ("accuracy", "lower", "outcome"),
    [(0.99, 0.85, PASS), (0.99, 0.85 + BELOW, FAIL), (0.86, 0.83, PASS), (1.0, 1.0, FAIL), (0.2, 0.1, PASS)],
)
def test_the_whole_is_too_good_only_where_that_is_proven(accuracy: float, lower: float, outcome: Outcome) -> None:
    finding = NotTooGood().judge(whole(accuracy, lower))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, lower, 0.85)
    assert ("computed from views" in finding.explanation) == (outcome is FAIL)


@pytest.mark.parametrize(
    ("features", "outcome", "observed", "named"),
    [
        ((alone("hour", 0.2, 0.1), alone("duration", 0.80, 0.75)), PASS, 0.75, "duration by itself"),
        ((alone("duration", 0.80, 0.75 + BELOW), alone("hour", 0.2, 0.1)), FAIL, 0.75 + BELOW, "Look where duration"),
        ((alone("hour", 0.79, 0.5), alone("duration", 0.78, 0.76)), FAIL, 0.76, "Look where duration"),
    ],
)
def test_a_single_feature_is_too_good_only_where_that_is_proven(
    features: tuple[FeatureAlone, ...], outcome: Outcome, observed: float, named: str
) -> None:
    finding = NoFeatureTellsAll().judge(replace(CANDIDATE, features_alone=features))
    assert (finding.outcome, finding.observed, finding.required) == (outcome, observed, 0.75)
    assert named in finding.explanation


def test_given_labels_are_never_too_good() -> None:
    perfect = replace(
        OF_GIVEN_LABELS, evaluation=whole(1.0, 1.0).evaluation, features_alone=(alone("like_rate", 1.0, 1.0),)
    )
    findings = [check.judge(perfect) for check in (NotTooGood(), NoFeatureTellsAll())]
    assert [finding.outcome for finding in findings] == [OUT, OUT]
    assert all("nothing is too good" in finding.explanation for finding in findings)


def served(**shares: tuple[float, float]) -> CandidateEvidence:
    """A candidate whose features were missing on these shares of the training rows, and of 900 predictions."""
    trained, asked = ({name: pair[side] for name, pair in shares.items()} for side in (0, 1))
    return replace(CANDIDATE, served=ServedMissing(900, trained, asked))


@pytest.mark.parametrize(
    ("evidence", "outcome", "observed"),
    [
        (served(caption=(0.1, 0.3), duration=(0.0, 0.1)), PASS, 0.2),
        (served(caption=(0.7, 0.9)), PASS, 0.2),
        (served(duration=(0.0, 0.1), caption=(0.1, 0.3 + BELOW)), FAIL, 0.2 + BELOW),
        (served(caption=(0.9, 0.1)), FAIL, 0.8),  # callers always send what training mostly lacked
        (served(caption=(0.0, 1.0)), FAIL, 1.0),
        (served(caption=(0.5, 0.5)), PASS, 0.0),
    ],
)
def test_a_feature_is_missing_in_use_as_in_training_or_is_another_feature(
    evidence: CandidateEvidence, outcome: Outcome, observed: float
) -> None:
    finding = MissingAsInUse().judge(evidence)
    assert (finding.outcome, finding.required, finding.rows) == (outcome, 0.20, 900)
    assert finding.observed == pytest.approx(observed)
    assert "caption was unknown in" in finding.explanation
    assert "of 900 recent predictions" in finding.explanation


def test_who_fails_hears_which_side_lacks_the_feature() -> None:
    callers = MissingAsInUse().judge(served(caption=(0.0, 1.0)))
    training = MissingAsInUse().judge(served(caption=(1.0, 0.0)))
    assert "Send what it is computed from" in callers.explanation
    assert "Store with the videos what callers send" in training.explanation
    assert "Send" not in MissingAsInUse().judge(served(caption=(0.5, 0.5))).explanation


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (replace(CANDIDATE, served=None), "No predictions are recorded"),
        (
            replace(CANDIDATE, served=ServedMissing(0, {"caption": 0.0}, {"caption": 0.0})),
            "No predictions are recorded",
        ),
        (replace(CANDIDATE, served=ServedMissing(199, {"caption": 0.0}, {"caption": 1.0})), "Only 199 recent predict"),
        (replace(OF_GIVEN_LABELS, served=ServedMissing(900, {"caption": 0.0}, {"caption": 1.0})), "finished vectors"),
    ],
)
def test_nothing_is_asked_where_nobody_knows_what_callers_send_and_the_answer_says_why(
    evidence: CandidateEvidence, words: str
) -> None:
    finding = MissingAsInUse().judge(evidence)
    assert finding.outcome is OUT
    assert words in finding.explanation


def test_two_hundred_predictions_are_enough_to_refuse() -> None:
    enough = replace(CANDIDATE, served=ServedMissing(200, {"caption": 0.0}, {"caption": 1.0}))
    assert MissingAsInUse().judge(enough).outcome is FAIL


def test_a_proven_leak_rejects() -> None:
    for leak in (whole(0.99, 0.98), replace(CANDIDATE, features_alone=(alone("duration", 0.9, 0.88),))):
        assert verdict_of(check.judge(leak) for check in LEAK_CHECKS) is Verdict.REJECT
    assert BARS.max_accuracy == 0.85
