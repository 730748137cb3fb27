"""The weekly retrain on real adapters: reproducible, and never promoting on doubt."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Barrier

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from cli.program import NOW, hashes, rows, write_frozen
from flows.conftest import LENIENT_BARS, Open, put, world_and_order
from tiercast.adapters.rehearsal import FreshProcess
from tiercast.core.errors import Unavailable
from tiercast.core.findings import Outcome
from tiercast.core.moments import Moment
from tiercast.core.release import Promotion, Release
from tiercast.flows.model_store import ModelStore, Writer
from tiercast.flows.promotion_history import history
from tiercast.flows.report import RunReport
from tiercast.flows.retrain import retrain
from tiercast.flows.rollback import rollback
from tiercast.ports.models import PromotionLog, Question
from tiercast.render.output import Silence
from tiercast.wiring import Wiring

Matrix = NDArray[np.float64]


def run(wiring: Wiring) -> RunReport:
    world, order = world_and_order(wiring)
    return retrain(world, order, progress=Silence())


def lenient(wiring_of: Open, home: Path, **settings: str) -> Wiring:
    """A home whose gate a second candidate passes."""
    return wiring_of(home, **LENIENT_BARS, **settings)


OTHER, THIRD = {"RETRAIN__MIN_VIDEOS": "400"}, {"RETRAIN__MIN_VIDEOS": "401"}
"""Settings that change no row and no model, and yet give another release."""


def outcome(report: RunReport, code: str) -> tuple[Outcome, str]:
    return next((f.outcome, f.explanation) for f in report.findings if f.code == code)


def test_the_same_rows_give_the_same_release_in_any_order_on_sqlite_and_postgres(
    home: Path, tmp_path: Path, postgres_url: str, open_home: Open
) -> None:
    expected = run(open_home(home)).candidate
    shuffled = rows(600).sample(fraction=1, shuffle=True, seed=1)
    other = open_home(tmp_path / "other")
    put(other, shuffled[:500], tmp_path / "a.parquet")
    put(other, shuffled[500:], tmp_path / "b.parquet")
    postgres = open_home(tmp_path / "third", DATABASE_URL=postgres_url)
    put(postgres, shuffled, tmp_path / "c.parquet")
    assert expected is not None
    assert run(other).candidate == expected
    assert run(postgres).candidate == expected


def test_another_seed_gives_another_release(home: Path, open_home: Open) -> None:
    assert run(open_home(home)).candidate != run(open_home(home, RETRAIN__SEED="7")).candidate


def test_one_more_view_gives_another_release(home: Path, tmp_path: Path, open_home: Open) -> None:
    changed = rows(600).with_columns(pl.col("views") + (pl.int_range(pl.len()) == 0).cast(pl.Int64))
    other = open_home(tmp_path / "other")
    put(other, changed, tmp_path / "a.parquet")
    assert run(open_home(home)).candidate != run(other).candidate


@pytest.mark.parametrize(
    ("column", "features"),
    [
        ("comments", "comment_rate, comment_to_like"),
        ("saves", "save_rate"),
        ("duration_seconds", "duration"),
        ("author_followers", "follower_tier"),
    ],
)
def test_a_feature_that_vanished_holds_and_names_it(
    column: str, features: str, home: Path, tmp_path: Path, open_home: Open
) -> None:
    first = run(open_home(home))
    models = f"file://{home}/models"
    bare = open_home(tmp_path / "bare", MODEL_STORE_URL=models)
    put(bare, rows(600).drop(column), tmp_path / "bare.parquet")
    before = hashes(home / "models")
    report = run(bare)
    assert (report.status, report.candidate, report.champion_after) == ("held", None, first.candidate)
    found, sentence = outcome(report, "D103")
    assert found is Outcome.FAIL
    assert f"Unknown on every video: {features}." in sentence
    assert hashes(home / "models") == before


def test_tiers_emptied_by_heavy_ties_hold_with_a_sentence(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "ties")
    tied = rows(600).with_columns(
        views=pl.lit(10_000), **{name: pl.col(name).clip(0, 500) for name in ("likes", "comments", "shares", "saves")}
    )
    put(wiring, tied, tmp_path / "ties.parquet")
    report = run(wiring)
    assert (report.status, report.candidate) == ("held", None)
    found, sentence = outcome(report, "D102")
    assert found is Outcome.FAIL
    assert "Too few rows in tier 2, 3, 4, 5" in sentence
    assert "share the same views" in sentence


@dataclass
class Odd:
    """A Rehearsal that stages other bytes than it was given, or answers otherwise than the process did."""

    spoil: Callable[[Release], Release] = lambda release: release
    distort: Callable[[Matrix], Matrix] = lambda answer: answer

    def __post_init__(self) -> None:
        self._process = FreshProcess()

    def predict(self, release: Release, question: Question) -> Matrix:
        return self.distort(self._process.predict(self.spoil(release), question))

    def close(self) -> None:
        self._process.close()


def flipped(release: Release) -> Release:
    name = next(iter(release.files))
    content = bytearray(release.files[name])
    content[len(content) // 2] ^= 1
    return Release(release.manifest, release.manifest_bytes, {**release.files, name: bytes(content)})


def without_files(release: Release) -> Release:
    return Release(release.manifest, release.manifest_bytes, {})


def died(answer: Matrix) -> Matrix:
    raise Unavailable("the fresh process was killed")


def all_but_one_nan(answer: Matrix) -> Matrix:
    answer[0, 0] = np.nan
    return answer


@pytest.mark.parametrize(
    "odd",
    [
        {"spoil": flipped},
        {"spoil": without_files},
        {"distort": died},
        {"distort": all_but_one_nan},
        {"distort": lambda answer: answer[:-1]},
        {"distort": lambda answer: answer[:, :4]},
    ],
    ids=["a flipped byte", "no model file", "a dead process", "a NaN", "a row too few", "a tier too few"],
)
def test_a_rehearsal_without_an_answer_is_inconclusive_and_holds(
    home: Path, open_home: Open, odd: dict[str, Callable[..., object]]
) -> None:
    world, order = world_and_order(open_home(home))
    report = retrain(replace(world, rehearsal=lambda: Odd(**odd)), order, progress=Silence())  # type: ignore[arg-type]
    assert (report.status, report.champion_after) == ("held", None)
    found, sentence = outcome(report, "C203")
    assert found is Outcome.INCONCLUSIVE
    assert sentence in report.reason
    assert hashes(home / "models") == {}


def test_a_fresh_process_that_predicts_otherwise_rejects(home: Path, open_home: Open) -> None:
    world, order = world_and_order(open_home(home))
    other = replace(world, rehearsal=lambda: Odd(distort=lambda answer: answer[:, ::-1]))
    report = retrain(other, order, progress=Silence())
    assert (report.status, report.champion_after) == ("rejected", None)
    assert outcome(report, "C203")[0] is Outcome.FAIL


def entries(wiring: Wiring) -> list[Promotion]:
    log = wiring.read_log()
    assert log is not None
    found = [entry.promotion for entry in history(log, Moment.OBSERVED)]
    assert None not in found
    return found  # type: ignore[return-value]


def run_while(wiring: Wiring, act: Callable[[], object]) -> RunReport:
    """A retrain during which somebody acts, after its champion was read and before it publishes."""
    world, order = world_and_order(wiring)

    def acting() -> FreshProcess:
        act()
        return FreshProcess()

    return retrain(replace(world, rehearsal=acting), order, progress=Silence())


def roll_back(wiring: Wiring) -> None:
    store = ModelStore(wiring.objects, wiring.write_log())
    writer = Writer(actor="ben@elsewhere", at=NOW, token="ben")
    rollback(store, Moment.OBSERVED, release=None, reason="odd scores", writer=writer)


def test_a_rollback_under_way_is_not_overwritten_unseen(home: Path, open_home: Open) -> None:
    first = run(open_home(home))
    run(lenient(open_home, home, **OTHER))
    wiring = lenient(open_home, home, **THIRD)
    report = run_while(wiring, lambda: roll_back(wiring))
    assert (report.status, report.champion_before) == ("promoted", first.candidate), report.reason
    last = entries(wiring)[-1]
    assert (last.number, last.release, last.previous) == (4, report.candidate, first.candidate)
    assert "Another promotion was faster: ben@elsewhere made" in " ".join(report.warnings)
    compared = report.beside and report.beside.champion
    assert compared is not None
    assert compared.release == first.candidate  # judged again beside whoever serves now


def test_a_release_that_is_rolled_back_while_it_is_trained_again_is_not_promoted_again(
    home: Path, open_home: Open
) -> None:
    """The same rows and settings as a release that people took out of service meanwhile."""
    first = run(open_home(home))
    wiring = lenient(open_home, home, **OTHER, GATE__WARN_ONLY='["D108"]')
    second = run(wiring)
    report = run_while(wiring, lambda: roll_back(wiring))
    assert (report.candidate, report.champion_before) == (second.candidate, first.candidate)
    assert (report.status, report.champion_after) == ("held", first.candidate)
    assert outcome(report, "L303")[0] is Outcome.FAIL
    assert "ben@elsewhere rolled this very release back" in report.reason
    assert [entry.release for entry in entries(wiring)] == [first.candidate, second.candidate, first.candidate]


def test_who_no_longer_passes_beside_the_new_champion_is_refused(home: Path, tmp_path: Path, open_home: Open) -> None:
    views = open_home(home)
    frozen = write_frozen(tmp_path / "frozen.json")
    given = open_home(tmp_path / "few", MODEL_STORE_URL=f"file://{home}/models", RETRAIN__FALLBACK_PATH=str(frozen))
    report = run_while(given, lambda: run(views))
    (only,) = entries(views)
    assert (report.status, report.source, report.champion_after) == ("rejected", "fallback", only.release)
    assert "learned real views" in report.reason
    assert outcome(report, "C204")[0] is Outcome.FAIL
    assert given.runs.get(report.run).status == "rejected"


def test_two_homes_that_promote_at_once_in_one_store_both_know_who_served_before(
    home: Path, tmp_path: Path, open_home: Open
) -> None:
    copy = Path(shutil.copytree(home, tmp_path / "other"))
    other = lenient(open_home, copy, MODEL_STORE_URL=f"file://{home}/models")
    wirings, together = [lenient(open_home, home, **OTHER), other], Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda wiring: run_while(wiring, together.wait), wirings))
    first, second = entries(other)
    assert {report.status for report in reports} == {"promoted"}
    assert {first.release, second.release} == {report.candidate for report in reports}
    assert (first.previous, second.previous) == (None, first.release)
    loser = next(report for report in reports if report.candidate == second.release)
    assert loser.champion_before == first.release
    assert loser.beside is not None
    assert loser.beside.champion is not None
    assert loser.beside.champion.release == first.release
    assert outcome(loser, "C210")[0] is Outcome.PASS


def test_the_loser_of_a_race_that_proves_nothing_beside_the_winner_is_held(
    home: Path, tmp_path: Path, open_home: Open
) -> None:
    """Alone it passed; beside the winner 120 test rows are too few at the bars as they are."""
    copy = Path(shutil.copytree(home, tmp_path / "other"))
    winner = open_home(copy, MODEL_STORE_URL=f"file://{home}/models", **OTHER)
    wiring = open_home(home)
    report = run_while(wiring, lambda: run(winner))
    (only,) = entries(wiring)
    assert (report.status, report.champion_before, report.champion_after) == ("held", only.release, only.release)
    assert outcome(report, "C210")[0] is Outcome.INCONCLUSIVE
    assert "Only 120 test videos of" in report.reason
    assert "Another promotion was faster" in " ".join(report.warnings)
    assert wiring.runs.get(report.run).status == "held"


@dataclass
class Overtaken:
    """A promotion log on which somebody else is always faster with a release of an earlier run."""

    inner: PromotionLog
    release: str
    name: str = "objects"

    def append(self, moment: Moment, number: int, entry: bytes) -> bool:
        ours = Promotion.from_bytes(entry)
        rival = replace(ours, token="rival", actor="ben@elsewhere", release=self.release, manifest_sha256=self.release)
        self.inner.append(moment, number, rival.to_bytes())
        return self.inner.append(moment, number, entry)

    def numbers(self, moment: Moment) -> list[int]:
        return self.inner.numbers(moment)

    def read(self, moment: Moment, number: int) -> bytes:
        return self.inner.read(moment, number)


def test_who_is_always_overtaken_gives_up_and_names_the_winner(home: Path, open_home: Open) -> None:
    first = run(open_home(home))
    wiring = lenient(open_home, home, **OTHER)
    world, order = world_and_order(wiring)
    log = Overtaken(world.write_log(), str(first.candidate))
    report = retrain(replace(world, write_log=lambda: log), order, progress=Silence())  # type: ignore[arg-type, return-value]
    assert report.status == "failed"
    assert "Another promotion was faster: ben@elsewhere" in report.reason
    assert "number 4" in report.reason
    assert wiring.runs.get(report.run).status == "failed"
    assert [entry.release for entry in entries(wiring)] == [first.candidate] * 4


@pytest.mark.parametrize(
    ("fault", "words"),
    [(RuntimeError("a bug"), "RuntimeError: a bug"), (KeyboardInterrupt(), "Interrupted")],
    ids=["a bug", "Ctrl-C"],
)
def test_a_run_that_ends_unforeseen_is_recorded_and_gives_the_lease_back(
    home: Path, open_home: Open, fault: BaseException, words: str
) -> None:
    wiring = open_home(home)
    world, order = world_and_order(wiring)

    def broken() -> PromotionLog:
        raise fault

    with pytest.raises(type(fault)):
        retrain(replace(world, write_log=broken), order, progress=Silence())
    (record,) = wiring.runs.recent(5)
    assert record.status == "failed"
    assert words in str(record.document["reason"])
    assert retrain(world, order, progress=Silence()).status == "promoted"


def test_the_newest_videos_are_drawn(home: Path, open_home: Open) -> None:
    wiring = open_home(home, RETRAIN__MAX_VIDEOS="550")
    report = run(wiring)
    assert report.videos == 550
    assert report.newest_training_video_at == rows(600)["published_at"].max().isoformat()  # type: ignore[union-attr]
