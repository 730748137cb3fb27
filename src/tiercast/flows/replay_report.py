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
from tiercast.ports import Progress, ReplayedStep

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
    """By forecaster, the champion first; empty without a champion or without rows."""


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
    edges: Sequence[int] | None
    """The one set of tier edges that everything is graded under; None where no video came after any step."""
    questions: int
    """Videos that these edges were cut from."""
    resumed: int
    """Steps that an earlier replay had finished."""


@dataclass(frozen=True, slots=True)
class _Serving:
    """Who answers in the time after a step, by each way to run it."""

    champion: str
    trained: int
    """The step that trained the champion."""
    first: str
    ungated: str


@dataclass(frozen=True, slots=True)
class _Paper:
    """The marked sheets of one step."""

    part: slice
    apart: bool
    sheets: Mapping[str, Sheet]


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
        sheets = _sheets(examiner, serving, steps, part, load) if serving and len(creators) else {}
        if serving and sheets:
            papers.append(_Paper(part, serving.ungated != serving.champion, sheets))
        champion, since = (serving.champion, steps[serving.trained].at) if serving else (None, None)
        marks = compared(sheets, creators, seed=seed) if sheets else {}
        lines.append(Graded(champion, since, len(creators), len(np.unique(creators)), marks))
        progress.advance()
    return Replayed(
        moment=questions.moment,
        walk=walk,
        steps=steps,
        graded=lines,
        whole=_pool(papers, examiner, seed=seed),
        apart=_pool([paper for paper in papers if paper.apart], examiner, seed=seed),
        edges=questions.edges() or None,
        questions=questions.rows.height,
        resumed=0,
    )


def _serving(steps: Sequence[ReplayedStep]) -> list[_Serving | None]:
    """Who answers after each step; nobody before the first promotion."""
    found: list[_Serving | None] = []
    first, trained, ungated = None, 0, None
    for number, step in enumerate(steps):
        champion = step.document["champion_after"]
        ungated = step.ungated or ungated
        if champion is None:
            found.append(None)
            continue
        first = first or str(champion)
        trained = number if step.document["candidate"] == champion else trained
        found.append(_Serving(str(champion), trained, first, ungated or str(champion)))
    return found


def _sheets(
    examiner: Examiner, serving: _Serving, steps: Sequence[ReplayedStep], part: slice, load: Callable[[str], Release]
) -> dict[str, Sheet]:
    tiers = examiner.tiers(part)
    told, known = examiner.answers(load(serving.champion), part)
    sheets = {CHAMPION: Sheet.of(told, tiers)}
    for name, release in ((FIRST, serving.first), (UNGATED, serving.ungated)):
        same = release == serving.champion
        sheets[name] = sheets[CHAMPION] if same else Sheet.of(examiner.answers(load(release), part)[0], tiers)
    then = steps[serving.trained].arrays
    rivals = naive(
        then["views"].astype(np.int64), Known(then.get("usual"), then.get("start")), known, len(tiers),
        examiner.log_edges,
    )  # fmt: skip
    return {**sheets, **{name: Sheet.of(rival, tiers) for name, rival in rivals.items()}}


def _pool(papers: Sequence[_Paper], examiner: Examiner, *, seed: int) -> Pool:
    creators = np.concatenate([examiner.questions.creators[paper.part] for paper in papers] or [np.empty(0, np.int64)])
    marks = compared(pooled([paper.sheets for paper in papers]), creators, seed=seed)
    return Pool(len(papers), len(creators), len(np.unique(creators)), marks)
