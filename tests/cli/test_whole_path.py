"""The main job as a user does it: ingest, retrain, predict, retrain, roll back, look back, forget, check."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from cli.conftest import Trained
from cli.program import LENIENT, OTHER, hashes, item, rows, tiercast, totals, write_items, write_rows
from tiercast.checks import CHECKS
from tiercast.core.tiers import TIER_MIDPOINTS

INGEST_KEYS = {"files", "read", "stored", "updated", "observations", "rejected"}
FILE_KEYS = INGEST_KEYS - {"files"} | {"path", "format", "rejects", "rejects_file"}
RETRAIN_KEYS = {
    *("run", "moment", "status", "source", "reason", "videos", "tier_distribution", "tier_edges"),
    *("train_accuracy", "test_accuracy", "test_accuracy_interval", "confusion_matrix", "per_tier", "findings"),
    *("metrics", "rivals", "candidates", "confident", "candidate", "champion_before", "champion_after", "seconds"),
}
METRICS = {
    *("accuracy", "within_one", "log_loss", "quadratic_weighted_kappa", "expected_calibration_error", "spearman"),
}
FINDING_KEYS = {
    *("code", "title", "outcome", "observed", "required", "explanation", "rows", "interval", "at_most", "demoted"),
}
PREDICTION_KEYS = {
    *("video_id", "moment", "tier", "probabilities", "confident", "score", "release", "missing"),
    *("views_interval", "relative_to", "creator_relative"),
}


def test_ingest_answers_every_key_of_the_contract(trained: Trained) -> None:
    document = trained.ingested.document
    assert document.keys() >= INGEST_KEYS
    (file,) = document["files"]
    assert file.keys() >= FILE_KEYS
    assert (file["format"], file["stored"], file["rejects"], file["rejects_file"]) == ("table", 800, {}, None)
    assert file["read"] == file["observations"] == rows().height
    assert trained.ingested.err == ""


def test_a_candidate_that_passes_is_promoted_with_every_key_of_the_contract(trained: Trained) -> None:
    document = trained.retrained.document
    assert document.keys() >= RETRAIN_KEYS
    assert (document["status"], document["source"], document["moment"]) == ("promoted", "videos", "observed")
    assert document["champion_before"] is None
    assert document["champion_after"] == document["candidate"]
    assert sum(document["tier_distribution"]) == document["videos"] > 700
    assert len(document["tier_edges"]) == 4
    assert document["metrics"].keys() >= METRICS
    assert document["rivals"]["majority"].keys() == document["metrics"].keys()
    assert document["metrics"]["accuracy"] == {
        "value": document["test_accuracy"],
        "interval": document["test_accuracy_interval"],
    }
    assert {line["name"] for line in document["candidates"]} == {"logistic", "xgboost", "average"}
    assert sum(line["chosen"] for line in document["candidates"]) == 1
    assert document["candidates"][0].keys() >= {"name", "log_loss", "seconds", "chosen"}
    assert document["seconds"].keys() == {"query", "features", "train", "evaluate", "gate", "publish", "total"}


def test_the_matrix_the_tiers_and_the_accuracy_of_a_run_agree(trained: Trained) -> None:
    document = trained.retrained.document
    matrix = document["confusion_matrix"]
    right = sum(matrix[tier][tier] for tier in range(5))
    assert document["test_accuracy"] == pytest.approx(right / sum(map(sum, matrix)))
    for tier, report in enumerate(document["per_tier"]):
        assert report.keys() >= {"tier", "precision", "recall", "support"}
        assert report["support"] == sum(matrix[tier])
        assert report["recall"] == pytest.approx(matrix[tier][tier] / sum(matrix[tier]))
        assert report["precision"] == pytest.approx(matrix[tier][tier] / sum(row[tier] for row in matrix))


def test_findings_have_every_key_and_a_sentence(trained: Trained) -> None:
    findings = trained.retrained.document["findings"]
    asked = ["D101", "D102", "C201", "C202", "C203", "C206", "C207", "C214", "C216", "C217", "L301", "L303"]
    outcomes = {finding["code"]: finding["outcome"] for finding in findings}
    assert len(findings) == len(outcomes)
    assert [*outcomes] == [check.code for check in CHECKS]
    assert outcomes == dict.fromkeys(outcomes, "not_applicable") | dict.fromkeys(asked, "pass")
    for finding in findings:
        assert finding.keys() == FINDING_KEYS
        assert finding["explanation"].endswith(".")
        assert finding["demoted"] is False
    assert findings[-1]["code"] == "L303"


def test_a_json_retrain_logs_its_result_on_standard_error(trained: Trained) -> None:
    (line,) = trained.retrained.err.splitlines()
    logged = json.loads(line)
    told = logged.keys() & trained.retrained.document.keys()
    assert told >= {
        *("run", "moment", "status", "source", "reason", "dry_run", "videos", "test_accuracy", "candidate"),
        *("champion_before", "champion_after", "warnings", "seconds"),
    }
    assert {key: logged[key] for key in told} == {key: trained.retrained.document[key] for key in told}


def test_people_read_tables_on_standard_output_and_bars_on_standard_error(trained: Trained) -> None:
    answer = tiercast("retrain", home=trained.home, **LENIENT, **OTHER)
    assert answer.code == 0
    assert "promoted" in answer.out
    table = {line.split()[0]: line for line in answer.out.splitlines() if line[:1] in "DCL" and line[1:4].isdigit()}
    assert re.search(r"pass +0\.\d+ +>= 0\.600$", table["C201"].rstrip())
    assert re.search(r"pass +0\.\d+ +<= 0\.900$", table["C216"].rstrip())
    assert re.search(r"pass +0 +>= -1$", table["C210"].rstrip())
    (left,) = re.findall(r"not asked: ([^(]+) \(tiercast runs", " ".join(answer.out.split()))
    assert {"D104", "C204", "C205", "L302"} <= {*left.split(", ")}
    assert not {*left.split(", ")} & table.keys()
    assert {*left.split(", ")} | table.keys() == {check.code for check in CHECKS}
    assert "quadratic weighted kappa" in answer.out
    assert re.search(r"test videos +rows +candidate +champion +difference +95 % interval", answer.out)
    assert re.search(r"platform tiktok +\d+ +[\d.]+% +[\d.]+% +\+0\.0 +\+0\.0 to \+0\.0", answer.out)
    assert "fitting candidates" in answer.err
    assert "fitting candidates" not in answer.out


def test_models_marks_the_champion(trained: Trained) -> None:
    champion = trained.retrained.document["candidate"]
    draft, early, moment = tiercast("models", "--json", home=trained.home).document["moments"]
    assert [draft["moment"], early["moment"], moment["moment"]] == ["draft", "early", "observed"]
    for untrained in (draft, early):
        assert (untrained["champion"], untrained["releases"], untrained["promotions"]) == (None, [], [])
    assert moment["champion"] == champion
    assert [(line["release"], line["serves"]) for line in moment["releases"]] == [(champion, True)]
    (entry,) = moment["promotions"]
    assert (entry["number"], entry["action"], entry["release"]) == (1, "promote", champion)
    assert entry["run"] == trained.retrained.document["run"]
    assert "serves" in tiercast("models", home=trained.home).out


def test_every_video_of_a_file_gets_one_prediction_with_every_key(trained: Trained) -> None:
    answer = tiercast("predict", trained.videos, "--json", home=trained.home)
    assert answer.code == 0
    predictions = answer.lines
    assert len({line["video_id"] for line in predictions}) == len(predictions) == 800
    for line in predictions:
        assert line.keys() >= PREDICTION_KEYS
        assert line["release"] == trained.retrained.document["candidate"]
        chances = line["probabilities"]
        assert sum(chances) == pytest.approx(1, abs=5e-6)
        assert chances[line["tier"] - 1] == max(chances)
        expected = sum(p * midpoint for p, midpoint in zip(chances, TIER_MIDPOINTS, strict=True))
        assert line["score"] == pytest.approx(expected, abs=0.051)
        assert line["score"] == round(line["score"], 1)


def test_predictions_of_the_served_model_are_as_right_as_the_run_said(trained: Trained) -> None:
    run = trained.retrained.document
    views = pl.read_parquet(trained.videos).group_by("video_id").agg(pl.col("views").sort_by("scraped_at").last())
    actual = {video: 1 + sum(v > edge for edge in run["tier_edges"]) for video, v in views.iter_rows()}
    predictions = tiercast("predict", "--stored", "--json", home=trained.home).lines
    right = sum(line["tier"] == actual[line["video_id"]] for line in predictions) / len(predictions)
    assert right == pytest.approx(0.8 * run["train_accuracy"] + 0.2 * run["test_accuracy"], abs=0.02)


def test_the_store_and_the_file_give_the_same_predictions(trained: Trained) -> None:
    from_file = tiercast("predict", trained.videos, "--json", home=trained.home).lines
    from_store = tiercast("predict", "--stored", "--json", home=trained.home).lines
    assert sorted(map(json.dumps, from_file)) == sorted(map(json.dumps, from_store))


def test_unknown_features_are_named(trained: Trained) -> None:
    line = json.dumps({"platform": "tiktok", "video_id": "1", "views": 5000, "likes": 400}).encode()
    answer = tiercast("predict", "-", "--json", home=trained.home, stdin=line)
    (prediction,) = answer.lines
    assert {"share_rate", "comment_rate", "hour_posted", "weekday_posted", "duration"} <= {*prediction["missing"]}
    assert "like_rate" not in prediction["missing"]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_predictions_are_written_to_a_file_by_its_ending(trained: Trained, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"predictions.{ending}"
    answer = tiercast("predict", trained.videos, "-o", path, home=trained.home)
    assert answer.code == 0, answer.err
    assert answer.out == ""
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": pl.read_ndjson}[ending]
    frame = read(path)
    assert frame.height == 800
    assert {"video_id", "tier", "score", "release"} <= {*frame.columns}


def test_a_second_release_is_rolled_back_with_a_reason(trained: Trained, tmp_path: Path) -> None:
    first = trained.retrained.document["candidate"]
    more = write_rows(tmp_path / "more.parquet", rows(300, seed=8))
    assert tiercast("ingest", more, home=trained.home).code == 0
    second = tiercast("retrain", "--json", home=trained.home, **LENIENT).document
    assert (second["status"], second["champion_before"]) == ("promoted", first)
    assert second["champion_after"] not in (None, first)

    answer = tiercast("rollback", "--reason", "odd scores on Tuesday", "--json", home=trained.home)
    assert answer.code == 0
    assert answer.document["release"] == first
    (moment,) = tiercast("models", "--moment", "observed", "--json", home=trained.home).document["moments"]
    assert moment["champion"] == first
    assert [entry["action"] for entry in moment["promotions"]] == ["promote", "promote", "rollback"]
    assert moment["promotions"][-1]["reason"] == "odd scores on Tuesday"
    assert tiercast("predict", "--stored", "--json", home=trained.home).lines[0]["release"] == first

    named = tiercast("rollback", second["candidate"][:10], "--reason", "it was the data", home=trained.home)
    assert named.code == 0
    assert second["candidate"][:12] in named.out


def test_the_very_release_that_serves_is_not_promoted_twice(trained: Trained) -> None:
    before = hashes(trained.home / "models")
    again = tiercast("retrain", "--json", home=trained.home, **LENIENT)
    assert (again.code, again.document["status"], again.document["candidate"]) == (3, "held", None)
    assert "the same rows as last time" in again.document["reason"]
    assert again.document["champion_after"] == trained.retrained.document["candidate"]
    assert hashes(trained.home / "models") == before


def test_runs_are_listed_shown_whole_and_written_as_a_page(trained: Trained, tmp_path: Path) -> None:
    run = trained.retrained.document["run"]
    listed = tiercast("runs", "--json", home=trained.home).document["runs"]
    assert [each["run"] for each in listed] == [run]
    whole = tiercast("runs", run[:15], "--json", home=trained.home)
    assert whole.document == trained.retrained.document
    page = tmp_path / "run.html"
    assert tiercast("runs", run, "--report", page, home=trained.home).code == 0
    html = page.read_text()
    assert run in html
    assert "quadratic weighted kappa" in html
    assert not any(mark in html for mark in ("http://", "https://", "<script src", "NaN"))
    assert run in tiercast("runs", home=trained.home).out


def test_an_author_is_forgotten_everywhere_but_the_fact(trained: Trained, tmp_path: Path) -> None:
    author = pl.read_parquet(trained.videos)["author"][0]
    bad = write_items(tmp_path / "bad.jsonl", [item("9", author=author, likes=5000), item("10", likes=5000)])
    tiercast("ingest", bad, home=trained.home)
    answer = tiercast("forget", "--author", author, "--json", home=trained.home)
    theirs = pl.read_parquet(trained.videos).filter(author=author)
    assert answer.code == 0
    assert answer.document["videos"] == theirs["video_id"].n_unique()
    assert answer.document["observations"] == theirs.height
    assert answer.document["rejects"] == 1
    kept = "".join(path.read_text() for path in (trained.home / "rejects").iterdir())
    assert author not in kept
    assert '"10"' in kept
    predicted = {line["video_id"] for line in tiercast("predict", "--stored", "--json", home=trained.home).lines}
    assert not predicted & {*theirs["video_id"]}
    videos = 800 - theirs["video_id"].n_unique()
    assert totals(trained.home) == (videos, rows().height - theirs.height)


def test_forgetting_what_is_not_stored_says_so(trained: Trained) -> None:
    answer = tiercast("forget", "--video", "nobody", home=trained.home)
    assert answer.code == 1
    assert "Nothing is stored of video 'nobody'" in answer.err
