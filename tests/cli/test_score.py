"""``tiercast score`` as people and scripts use it."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Trained
from cli.program import assert_failed, item, tiercast

SIGNALS = {"behavioral": 72, "gemini": 64, "rules": 80, "trends": None}


def encoded(*documents: Any) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in documents).encode()


def test_the_score_of_a_video_holds_what_predict_says_of_it(trained_once: Trained) -> None:
    home, video = trained_once.home, item()
    predicted = tiercast("predict", "-", "--json", home=home, stdin=encoded(video)).lines[0]
    document = tiercast("score", "-", "--json", home=home, stdin=encoded({"signals": SIGNALS, "video": video})).document
    assert document["ml"] == predicted
    assert document["signals"] == {"behavioral": 72, "gemini": 64, "ml": predicted["score"], "rules": 80}
    assert (document["missing"], document["warnings"]) == (["trends"], [])
    assert sum(document["weights"].values()) == pytest.approx(1, abs=1e-9)
    assert abs(sum(document["contributions"].values()) - document["overall_score"]) <= 0.5


def test_a_scraper_s_own_item_is_a_video_too(trained_once: Trained) -> None:
    clockworks = {
        "id": "7301234567890123456",
        "createTimeISO": "2025-05-01T10:00:00.000Z",
        "playCount": 1000,
        "diggCount": 50,
        "authorMeta": {"name": "ana", "fans": 100},
    }
    answer = tiercast("score", "-", "--json", home=trained_once.home, stdin=encoded({"video": clockworks}))
    assert answer.document["ml"]["video_id"] == "7301234567890123456"


def test_many_documents_give_one_answer_a_line_in_their_order(trained_once: Trained, tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_bytes(encoded({"signals": {"rules": 40}}, {"signals": {"ml": 7}}) + b"\n" + encoded({"video": item()}))
    answer = tiercast("score", file, "--json", home=trained_once.home)
    assert [line["overall_score"] for line in answer.lines][:2] == [40, 7]
    assert answer.lines[2]["ml"]["video_id"] == item()["video_id"]
    assert "video" in tiercast("score", file, home=trained_once.home).out


def test_people_see_what_each_signal_brings(home: Path) -> None:
    answer = tiercast("score", home=home, stdin=encoded({"signals": SIGNALS}))
    assert answer.code == 0
    assert "Score 71 of 100; the weight of what is missing (ml, trends) is shared out" in answer.out
    behavioral = next(line for line in answer.out.splitlines() if line.startswith("behavioral"))
    assert "33.6" in behavioral
    assert "█" in behavioral


def test_without_a_champion_the_video_is_a_missing_signal(home: Path) -> None:
    answer = tiercast("score", "--json", home=home, stdin=encoded({"signals": SIGNALS, "video": item()}))
    assert (answer.document["overall_score"], answer.document["ml"]) == (71, None)
    assert answer.document["missing"] == ["ml", "trends"]
    assert answer.document["warnings"][0].startswith("The signal 'ml' is missing. No model serves any moment yet")
    alone = tiercast("score", "--json", home=home, stdin=encoded({"video": item()}))
    assert_failed(alone, "all there was to score by", "No model serves")


def test_weights_and_names_are_the_settings_own(home: Path) -> None:
    weights = {"TIERCAST_SCORE__WEIGHTS": '{"mood": 3, "rules": 1}'}
    answer = tiercast("score", "--json", home=home, stdin=encoded({"signals": {"mood": 80, "rules": 40}}), **weights)
    assert (answer.document["overall_score"], answer.document["weights"]) == (70, {"mood": 0.75, "rules": 0.25})


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b"", ("standard input is empty",)),
        (b"{", ("standard input is no JSON", "one JSON document, or one a line")),
        (b"\xff", ("not text in UTF-8",)),
        (b"[" * 100_000, ("nested too deeply",)),
        (encoded({"signals": {"rules": 40}}, {"signals": {"rules": 140}}), ("Line 2 of standard input: ", "is 140")),
        (encoded({"signals": {"rules": 40}}) + b"{\n", ("Line 2 of standard input is no JSON",)),
        (encoded({"signals": {"rules": float("nan")}}), ("The signal 'rules' is nan",)),
        (encoded({"video": {"mood": 1}}), ("no prediction", "No model serves")),
    ],
)
def test_what_cannot_be_scored_is_told_in_one_sentence(home: Path, stdin: bytes, words: tuple[str, ...]) -> None:
    answer = tiercast("score", "--json", home=home, stdin=stdin)
    assert_failed(answer, *words)
    assert answer.out == ""
