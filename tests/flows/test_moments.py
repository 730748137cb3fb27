"""Which moments a retrain takes on by itself, and what it says of the others."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text

from cli.program import NOW
from flows.conftest import Open, put
from flows.forecasts import SMALL, YOUNG, videos
from tiercast.cli.retrain import order_of, world_of
from tiercast.core.moments import Moment
from tiercast.flows.moments import NOT_CHOSEN, Retrained, retrain_moments
from tiercast.flows.report import RunReport
from tiercast.flows.retrain import Frame
from tiercast.render.output import Silence
from tiercast.wiring import Wiring


def retrained(wiring: Wiring, *, dry_run: bool = False) -> Retrained:
    orders = {moment: order_of(wiring.settings, moment, dry_run=dry_run) for moment in Moment}
    return retrain_moments(world_of(wiring), orders, "auto", progress=Silence())


def test_an_empty_store_asks_for_observed_alone_whose_gate_says_what_is_missing(
    tmp_path: Path, open_home: Open
) -> None:
    done = retrained(open_home(tmp_path / "home"))
    (report,) = done.reports
    assert (report.moment, report.status, report.videos) == (Moment.OBSERVED, "held", 0)
    assert done.skipped is not None
    assert [*done.skipped] == [Moment.DRAFT, Moment.EARLY]
    assert "Of 0 dated videos with views, 0 have a label. Ingest videos" in done.skipped[Moment.DRAFT]
    assert "Of 0 early observations" in done.skipped[Moment.EARLY]
    assert "Scrape videos within that time after posting" in done.skipped[Moment.EARLY]


def test_forecasts_without_labels_are_left_out_and_say_when_that_changes(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    put(wiring, videos(320, YOUNG), tmp_path / "young.parquet")
    done = retrained(wiring)
    (report,) = done.reports
    assert (report.moment, report.status) == (Moment.OBSERVED, "held")
    assert done.skipped is not None
    for moment in (Moment.DRAFT, Moment.EARLY):
        assert "500 are required (retrain.min_videos)" in done.skipped[moment]
        assert "the first of the others can be had by a scrape at or after 2025-06-" in done.skipped[moment]
    document = done.to_document()
    assert document["run"] == report.run
    assert document["skipped"] == {moment.value: why for moment, why in done.skipped.items()}
    (record,) = wiring.runs.recent(5)
    assert {**record.document, "skipped": document["skipped"]} == json.loads(json.dumps(document))


def test_observed_is_left_out_where_forecasts_can_be_trained_and_it_cannot(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home", **SMALL)
    hidden = videos(480).with_columns(likes=pl.lit(None, dtype=pl.Int64))
    put(wiring, hidden, tmp_path / "hidden.parquet")
    done = retrained(wiring, dry_run=True)
    assert [report.moment for report in done.reports] == [Moment.DRAFT, Moment.EARLY]
    assert all(report.judged is not None for report in done.reports), [report.reason for report in done.reports]
    assert done.skipped == {Moment.OBSERVED: "0 videos with known likes; 300 are required."}
    assert wiring.runs.recent(5) == []
    document = done.to_document()
    assert document.keys() == {"runs", "skipped"}
    assert [run["moment"] for run in document["runs"]] == ["draft", "early"]  # type: ignore[attr-defined]


def test_an_existing_table_is_noted_before_it_is_asked_what_the_data_allow(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    columns = "platform text, platform_video_id text, author text, views int, likes int, metadata text"
    with wiring.engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE scraped_videos ({columns})"))
        connection.execute(
            text("INSERT INTO scraped_videos VALUES ('tiktok', '1', 'ana', 50, 5, :metadata)"),
            {"metadata": json.dumps({"uploaded_at": "2025-05-01T00:00:00Z"})},
        )
    done = retrained(wiring)
    assert wiring.videos.count() == (1, 1)
    assert done.skipped is not None
    assert "Of 1 dated videos with views" in done.skipped[Moment.DRAFT]


def test_a_store_that_cannot_be_read_is_one_failed_run_and_nothing_is_left_out(
    home: Path, open_home: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiring = open_home(home)
    world = world_of(wiring)
    with wiring.engine.begin() as connection:
        connection.execute(text("ALTER TABLE observations RENAME TO elsewhere"))
    orders = {moment: order_of(wiring.settings, moment) for moment in Moment}
    done = retrain_moments(world, orders, "auto", progress=Silence())
    (report,) = done.reports
    assert (report.moment, report.status, done.skipped) == (Moment.OBSERVED, "failed", None)
    assert "observations" in report.reason
    assert [record.run for record in wiring.runs.recent(5)] == [report.run]


def test_several_runs_are_a_list_and_one_is_itself() -> None:
    draft = RunReport("1", Moment.DRAFT, "held", "videos", "few", NOW)
    early = replace(draft, run="2", moment=Moment.EARLY)
    assert Retrained([draft]).to_document() == draft.to_document()
    assert Retrained([draft, early]).to_document() == {"runs": [draft.to_document(), early.to_document()]}
    assert Retrained([draft], {}).to_document() == {**draft.to_document(), "skipped": {}}
    both = Retrained([draft], {Moment.OBSERVED: "no likes"}).to_document()
    assert both["skipped"] == {"observed": "no likes"}


class Interrupting(Silence):
    """Ctrl-C at the first stage that is told."""

    def stage(self, name: str) -> None:  # noqa: ARG002
        raise KeyboardInterrupt


def test_what_goes_on_and_what_was_to_come_is_recorded_where_it_is_interrupted(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    orders = {moment: order_of(wiring.settings, moment) for moment in Moment}
    told: list[Mapping[str, Moment]] = []
    with pytest.raises(KeyboardInterrupt):
        retrain_moments(
            world_of(wiring), orders, [*Moment], progress=Interrupting(), frame=Frame("r"), on_chosen=told.append
        )
    assert told == [{f"r-{moment.value}": moment for moment in Moment}]
    records = {record.run: record for record in wiring.runs.of("r")}
    assert {run: record.moment for run, record in records.items()} == told[0]
    assert all("Interrupted before its end" in record.document["reason"] for record in records.values())
    assert wiring.in_progress() is None


class InterruptedHistory:
    """Ctrl-C while what the data allow is read."""

    def recent(self, *, limit: int | None) -> pl.DataFrame:  # noqa: ARG002
        raise KeyboardInterrupt


def test_an_interruption_before_moments_were_chosen_is_one_run_that_says_so(tmp_path: Path, open_home: Open) -> None:
    wiring = open_home(tmp_path / "home")
    orders = {moment: order_of(wiring.settings, moment) for moment in Moment}
    world = replace(world_of(wiring), history=InterruptedHistory())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        retrain_moments(world, orders, "auto", progress=Silence(), frame=Frame("r"))
    (record,) = wiring.runs.of("r")
    assert (record.run, record.status) == ("r", "failed")
    assert record.document["reason"].endswith(NOT_CHOSEN)
