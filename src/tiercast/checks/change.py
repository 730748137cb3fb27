"""Questions about what changed in the data since the champion learned (D103, D105 to D108)."""

from datetime import UTC
from itertools import pairwise
from math import exp, isnan, log
from typing import Final

from tiercast.checks.evidence import Check, DataEvidence
from tiercast.core.findings import Finding, Outcome, at_most

ALMOST_ALL: Final = 0.9
"""Young videos have more zeros by themselves; what is no longer read is zero, or unknown, nearly everywhere."""
DEMOTE: Final = "If it is meant to be so, name {code} in gate.warn_only; the release will say so."


class NoFeatureVanished:
    """D103."""

    code = "D103"
    title = "No feature of the champion vanished"
    why = "A scraper that renames a field empties a column; the champion still expects it."

    def judge(self, evidence: DataEvidence) -> Finding:
        """No feature that the champion had values for is unknown on nearly every row, of all or of the newest week."""
        champion = evidence.champion
        if champion is None or champion.label != evidence.label:
            sentence = "No champion of the same label serves, so there is nothing to lose."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, 0, sentence, at_most=True)
        vanished = [name for name in evidence.all_missing if name in champion.relied_on]
        lately = [name for name in evidence.newly_missing if name in champion.usually_known and name not in vanished]
        if not vanished and not lately:
            sentence = f"All {len(champion.relied_on)} features that the champion relies on still have values."
            return Finding(self.code, self.title, Outcome.PASS, 0, 0, sentence, evidence.training_rows, at_most=True)
        told = f"Unknown on every video: {', '.join(vanished)}. " if vanished else ""
        told += f"Unknown on nearly every video, of all or of the newest week: {', '.join(lately)}. " if lately else ""
        sentence = (
            f"{told}Champion {champion.release[:12]} learned from it. "
            "Look for a renamed or dropped field in the scraper's output, or a changed setting of features or moments."
        )
        rows = evidence.training_rows if vanished else evidence.newest_week_rows
        lost = len(vanished) + len(lately)
        return Finding(self.code, self.title, Outcome.FAIL, lost, 0, sentence, rows, at_most=True)


class ZerosDidNotJump:
    """D105."""

    code = "D105"
    title = "Zeros did not jump"
    why = "A scraper that no longer reads a count often writes 0, which looks like a measurement."

    def judge(self, evidence: DataEvidence) -> Finding:
        """No feature is zero on many more videos than in the champion's training, or all at once in the newest week."""
        limit = evidence.bars.max_zero_jump
        known = evidence.champion.zero_shares if evidence.champion else {}
        shares = evidence.zero_shares
        jumps = [
            (
                shares[name] - before,
                evidence.training_rows,
                f"{name} is zero on {shares[name]:.1%} of the videos, {before:.1%} when the champion learned",
            )
            for name, before in known.items()
            if name in shares
        ]
        jumps += [
            (
                now - shares[name],
                evidence.newest_week_rows,
                f"{name} is zero on {now:.1%} of the newest week's videos, {shares[name]:.1%} of all",
            )
            for name, now in evidence.newest_zero_shares.items()
            if not now < ALMOST_ALL  # an unknown share is none to pass over
        ]
        if not jumps:
            sentence = "No champion serves that recorded its zeros, and no count of the newest week is zero throughout."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, limit, sentence, at_most=True)
        if any(isnan(jump) for jump, *_ in jumps):
            sentence = "The share of zeros is unknown for a feature, so nobody can tell."
            return Finding(self.code, self.title, Outcome.INCONCLUSIVE, None, limit, sentence, at_most=True)
        jump, rows, told = max(jumps)
        sentence = f"The largest rise: {told}; {100 * limit:g} points are allowed."
        outcome = at_most(jump, limit)
        if outcome is Outcome.FAIL:
            sentence += f" Look whether the scraper still reads that count. {DEMOTE.format(code=self.code)}"
        return Finding(self.code, self.title, outcome, jump, limit, sentence, rows, at_most=True)


class EdgesMovedAsBefore:
    """D106."""

    code = "D106"
    title = "Tier edges moved no more than they ever did"
    why = "Edges that leap mean other videos, or views counted otherwise: tiers then mean something else."

    def judge(self, evidence: DataEvidence) -> Finding:
        """The edges moved by at most 1.5 a week since the last promotion, or by the most between two promotions.

        Time counts, or slow drift under a champion that stays would in the end stop every run.
        """
        edges, allowed = evidence.edges, evidence.bars.max_edge_factor
        if edges is None or not edges.before:
            sentence = "No release that learned views was promoted before, so there are no edges to have moved."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, allowed, sentence, at_most=True)
        moved = edge_factor(edges.before[-1], edges.today)
        ever = max((edge_factor(first, then) for first, then in pairwise(edges.before)), default=1.0)
        limit = max(allowed**edges.weeks, ever)
        sentence = (
            f"Edges of {_whole(edges.before[-1])} views are now {_whole(edges.today)}: one moved by a factor of "
            f"{moved:.2f}. Between promotions they moved by at most {ever:.2f}; {limit:.2f} is allowed "
            f"({allowed:g} a week since the last promotion)."
        )
        outcome = at_most(moved, limit)
        if outcome is Outcome.FAIL:
            remedy = DEMOTE.format(code=self.code)
            sentence += f" Look for a source that was added, dropped or counts otherwise. {remedy}"
        return Finding(self.code, self.title, outcome, moved, limit, sentence, evidence.usable_videos, at_most=True)


def edge_factor(before: tuple[int, ...], now: tuple[int, ...]) -> float:
    """The largest factor by which one of the edges rose or fell.

    >>> round(edge_factor((9, 99), (9, 49)), 2)
    2.0
    """
    return exp(max(abs(log((new + 1) / (old + 1))) for old, new in zip(before, now, strict=True)))


def _whole(edges: tuple[int, ...]) -> str:
    return " / ".join(f"{edge:,}" for edge in edges)


class VideosAreFresh:
    """D107."""

    code = "D107"
    title = "The newest video is of this week"
    why = "A scraper that stopped leaves a table from which a retrain learns nothing new."

    def judge(self, evidence: DataEvidence) -> Finding:
        """The newest video was posted at most a week before a retrain that would replace a champion."""
        newest, limit = evidence.newest, evidence.bars.max_newest_age_days
        if newest is None:
            sentence = "No video is dated, so nobody can tell how old they are."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, limit, sentence, at_most=True)
        posted = newest.video_at.astimezone(UTC)
        told = f"The newest video was posted {newest.age_days:.1f} days ago ({posted:%Y-%m-%d %H:%M} UTC)"
        if evidence.champion is None:
            sentence = f"{told}. Asked once a champion serves: a first model may learn from old videos."
            return Finding(
                self.code, self.title, Outcome.NOT_APPLICABLE, newest.age_days, limit, sentence, at_most=True
            )
        sentence = f"{told}; {limit:g} days are allowed (gate.<moment>.max_newest_age_days)."
        outcome = at_most(newest.age_days, limit)
        if outcome is Outcome.FAIL:
            sentence += " Look whether the scraper still runs and its files are ingested."
        return Finding(self.code, self.title, outcome, newest.age_days, limit, sentence, at_most=True)


class RowsAreNew:
    """D108."""

    code = "D108"
    title = "There is something new to learn"
    why = "The same rows and settings give the same model; to promote it again proves nothing."

    def judge(self, evidence: DataEvidence) -> Finding:
        """Rows, settings or libraries differ from those of the champion."""
        champion = evidence.champion
        if champion is None:
            sentence = "No champion serves, so everything is new."
            return Finding(self.code, self.title, Outcome.NOT_APPLICABLE, None, None, sentence)
        if not champion.same_rows:
            sentence = f"The rows are not those of champion {champion.release[:12]}."
            return Finding(self.code, self.title, Outcome.PASS, None, None, sentence)
        if not champion.same_settings:
            sentence = f"Champion {champion.release[:12]} learned these very rows, with other settings or libraries."
            return Finding(self.code, self.title, Outcome.PASS, None, None, sentence)
        sentence = (
            f"Champion {champion.release[:12]} learned these very rows with these settings: the same rows as last "
            "time. Ingest new videos or observations first; `tiercast doctor` tells what is stored."
        )
        return Finding(self.code, self.title, Outcome.FAIL, None, None, sentence)


CHANGE_CHECKS: Final[tuple[Check[DataEvidence], ...]] = (
    NoFeatureVanished(),
    ZerosDidNotJump(),
    EdgesMovedAsBefore(),
    VideosAreFresh(),
    RowsAreNew(),
)
