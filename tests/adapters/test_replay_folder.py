"""Finished steps of a replay on disk: whole or not at all, and only for the same walk, settings and store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tiercast.adapters.replay_folder import ReplayFolder
from tiercast.adapters.scratch import FreeLease, MemoryLog
from tiercast.core.errors import Missing
from tiercast.core.moments import Moment
from tiercast.ports.runs import ReplayedStep

PARTS: dict[str, object] = {"walk": {"from": "2026-01-05"}, "settings": {"seed": 1}, "store": {"hash": "a"}}


def step(number: int) -> ReplayedStep:
    return ReplayedStep(
        at=datetime(2026, 1, 5, tzinfo=UTC) + number * timedelta(days=7),
        document={"status": "promoted", "findings": [{"code": "D101"}], "videos": number},
        ungated="f" * 64,
        entries={number + 1: b'{"release":"\xc3\xa9"}'},
        arrays={"views": np.array([1.0, np.nan, 3.0])},
        seconds=1.5,
    )


def test_steps_read_back_as_they_were_kept(tmp_path: Path) -> None:
    folder = ReplayFolder(tmp_path, PARTS)
    assert folder.finished() == []
    for number in (1, 0):
        folder.save(step(number))
    found = ReplayFolder(tmp_path, PARTS).finished()
    assert [each.at for each in found] == [step(0).at, step(1).at]
    for number, each in enumerate(found):
        np.testing.assert_array_equal(each.arrays["views"], step(number).arrays["views"])
        assert (each.document, each.entries, each.ungated) == (step(number).document, step(number).entries, "f" * 64)


@pytest.mark.parametrize("damage", ["cut short", "other arrays", "no arrays"])
def test_a_damaged_step_and_what_came_after_it_is_replayed_again(tmp_path: Path, damage: str) -> None:
    folder = ReplayFolder(tmp_path, PARTS)
    for number in range(3):
        folder.save(step(number))
    document = sorted(folder.path.glob("steps/*.json"))[1]
    if damage == "cut short":
        document.write_bytes(document.read_bytes()[:-5])
    elif damage == "other arrays":
        document.with_suffix(".npz").write_bytes(b"PK")
    else:
        document.with_suffix(".npz").unlink()
    assert [each.at for each in folder.finished()] == [step(0).at]


def test_whatever_a_step_depends_on_gives_another_folder_that_says_what_changed(tmp_path: Path) -> None:
    ReplayFolder(tmp_path, PARTS).save(step(0))
    other = ReplayFolder(tmp_path, {**PARTS, "store": {"hash": "b"}})
    assert other.finished() == []
    assert other.changed() == ["store"]
    assert ReplayFolder(tmp_path, PARTS).changed() == []
    elsewhere = ReplayFolder(tmp_path, {**PARTS, "walk": {"from": "2026-01-06"}})
    assert elsewhere.changed() == []


def test_the_log_in_memory_gives_each_number_once() -> None:
    log = MemoryLog()
    assert log.append(Moment.DRAFT, 1, b"first") is True
    assert log.append(Moment.DRAFT, 1, b"first") is False
    assert log.append(Moment.DRAFT, 1, b"second") is False
    assert log.append(Moment.OBSERVED, 7, b"other") is True
    assert (log.numbers(Moment.DRAFT), log.read(Moment.DRAFT, 1)) == ([1], b"first")
    with pytest.raises(Missing, match="no entry 2"):
        log.read(Moment.DRAFT, 2)
    with FreeLease(), FreeLease():
        pass
