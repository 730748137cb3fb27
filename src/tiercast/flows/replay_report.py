"""A replay graded: every champion on what came after it, beside naive rivals and other ways to run it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import numpy as np

from tiercast.core.moments import Moment
from tiercast.core.release import Release
from tiercast.flows.replay import Walk
from tiercast.flows.replay_questions import Examiner
from tiercast.learn.exam import Known, Marks, Sheet, compared, naive, pooled
from tiercast.ports.runs import Progress, ReplayedStep

CHAMPION: Final = "champion"
FIRST: Final = "never_again"
UNGATED: Final = "always_promote"

LOADED: Final = 4
"""Releases that stay loaded: a step asks for three, of which the next one asks for two again."""


@dataclass(frozen=True, slots=True)
class Graded:
    """How the champion of a step did on the videos that came before the next one."""

    champion: str | None
    """The release that served; None where nothing had been promoted yet."""
    since: datetime | None
    rows: int
    """Videos with a label that were asked about in that time (``early``: observations)."""
    creators: int
    marks: Mapping[str, Marks]
    """By forecaster, the champion first where there is one; empty where nobody could answer or nothing was asked."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Several steps as one."""

    steps: int
    rows: int
    creators: int
    marks: Mapping[str, Marks]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A finished replay."""

    moment: Moment
    walk: Walk
    steps: Sequence[ReplayedStep]
    graded: Sequence[Graded]
    whole: Pool
    """Every step with a champion and with videos after it."""
    apart: Pool
    """Those of them in which always promoting would have served another release than the champion."""
    unserved: Pool
    """Steps without a champion in which always promoting would have served something."""
    edges: Sequence[int] | None
    """The one set of tier edges that everything is graded under; None where no video came after any step."""
    questions: int
    """Videos that these edges were cut from."""
    resumed: int
    """Steps that an earlier replay had finished."""


@dataclass(frozen=True, slots=True)
class _Serving:
    """Who answers in the time after a step, by each way to run it; None where that way has no release yet."""

    champion: str | None = None
    first: str | None = None
    ungated: str | None = None
    trained: int = 0
    """The step that trained the champion, or without one the ungated release."""

    @property
    def releases(self) -> Mapping[str, str]:
        """Each way's release, the champion first."""
        ways = {CHAMPION: self.champion, FIRST: self.first, UNGATED: self.ungated}
        return {way: release for way, release in ways.items() if release is not None}


@dataclass(frozen=True, slots=True)
class _Paper:
    """The marked sheets of one step."""

    part: slice
    serving: _Serving
    sheets: Mapping[str, Sheet]

    @property
    def served(self) -> bool:
        """Whether there was a champion."""
        return self.serving.champion is not None

    @property
    def apart(self) -> bool:
        """Whether there was one, and without a gate it would have been another."""
        return self.served and self.serving.ungated != self.serving.champion


def graded(
    walk: Walk, steps: Sequence[ReplayedStep], examiner: Examiner, load: Callable[[str], Release], *, seed: int,
    progress: Progress,
) -> Replayed:  # fmt: skip
    """Every step's champion, rivals and alternatives on the videos up to the next step, all under one set of edges."""
    questions = examiner.questions
    load = lru_cache(LOADED)(load)
    progress.stage("grading", total=len(steps))
    lines, papers = [], []
    for step, serving in zip(steps, _serving(steps), strict=True):
        part = questions.between(step.at, step.at + walk.every)
        creators = questions.creators[part]
        sheets = _sheets(examiner, serving, steps, part, load) if len(creators) else {}
        if sheets:
            papers.append(_Paper(part, serving, sheets))
        since = steps[serving.trained].at if serving.champion else None
        marks = compared(sheets, creators, seed=seed) if sheets else {}
        lines.append(Graded(serving.champion, since, len(creators), len(np.unique(creators)), marks))
        progress.advance()
    return Replayed(
        moment=questions.moment,
        walk=walk,
        steps=steps,
        graded=lines,
        whole=_pool([paper for paper in papers if paper.served], examiner, seed=seed),
        apart=_pool([paper for paper in papers if paper.apart], examiner, seed=seed),
        unserved=_pool([paper for paper in papers if not paper.served], examiner, seed=seed),
        edges=questions.edges() or None,
        questions=questions.rows.height,
        resumed=0,
    )


def _serving(steps: Sequence[ReplayedStep]) -> list[_Serving]:
    """Who answers after each step."""
    found: list[_Serving] = []
    first, trained, ungated, ungated_from = None, 0, None, 0
    for number, step in enumerate(steps):
        champion = step.document["champion_after"]
        if step.ungated:
            ungated, ungated_from = step.ungated, number
        if champion is None:
            found.append(_Serving(ungated=ungated, trained=ungated_from))
            continue
        first = first or str(champion)
        trained = number if step.document["candidate"] == champion else trained
        found.append(_Serving(str(champion), first, ungated or str(champion), trained))
    return found


def _sheets(
    examiner: Examiner, serving: _Serving, steps: Sequence[ReplayedStep], part: slice, load: Callable[[str], Release]
) -> dict[str, Sheet]:
    """What each way's release and the naive rivals said, marked; nothing where there is no release."""
    if not serving.releases:
        return {}
    tiers = examiner.tiers(part)
    answers = {release: examiner.answers(load(release), part) for release in {*serving.releases.values()}}
    _, known = answers[next(iter(serving.releases.values()))]  # rivals know what the champion does
    then = steps[serving.trained].arrays
    rivals = naive(
        then["views"].astype(np.int64), Known(then.get("usual"), then.get("start")), known, len(tiers),
        examiner.log_edges,
    )  # fmt: skip
    sheets = {way: Sheet.of(answers[release][0], tiers) for way, release in serving.releases.items()}
    return {**sheets, **{name: Sheet.of(rival, tiers) for name, rival in rivals.items()}}


def _pool(papers: Sequence[_Paper], examiner: Examiner, *, seed: int) -> Pool:
    creators = np.concatenate([examiner.questions.creators[paper.part] for paper in papers] or [np.empty(0, np.int64)])
    marks = compared(pooled([paper.sheets for paper in papers]), creators, seed=seed)
    return Pool(len(papers), len(creators), len(np.unique(creators)), marks)
