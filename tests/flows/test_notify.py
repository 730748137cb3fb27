"""Who hears of which run, and in which words."""

from datetime import UTC, datetime

import pytest

from tiercast.core.errors import Unavailable
from tiercast.core.moments import Moment
from tiercast.flows import notify as notices
from tiercast.flows.notify import LONGEST, Noting, notice_of, notify
from tiercast.ports.runs import Notice, RunRecord

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
FAIL = {"code": "C201", "title": "Accuracy <on> test & rest", "outcome": "fail", "demoted": False, "observed": 0.4}
WARNS = {**FAIL, "code": "C208", "demoted": True}
UNKNOWN = {**FAIL, "code": "D101", "outcome": "inconclusive"}
SOUND = {**FAIL, "code": "D102", "outcome": "pass"}


def record(
    status: str, *, reason: str = "It is <b>worse</b> & <!channel>", champion: str | None = "cafe" * 16
) -> RunRecord:
    findings = [FAIL, WARNS, UNKNOWN, SOUND]
    document = {"reason": reason, "champion_after": champion, "findings": findings}
    return RunRecord(f"run-{status}", Moment.DRAFT, status, AT, document)


class Friend:
    """Somebody who hears everything, or whom nothing reaches."""

    def __init__(self, *, away: bool = False) -> None:
        self.heard: list[Notice] = []
        self.away = away

    def send(self, notice: Notice) -> None:
        self.heard.append(notice)
        if self.away:
            raise Unavailable("it did not arrive")


def test_everything_but_a_promotion_is_told() -> None:
    friend = Friend()
    assert notify([record(each) for each in ("promoted", "held", "rejected", "failed")], friend) is None
    assert [notice.run for notice in friend.heard] == ["run-held", "run-rejected", "run-failed"]


def test_each_notice_is_tried_whatever_became_of_the_others() -> None:
    friend = Friend(away=True)
    assert notify([record("held"), record("failed")], friend) == "it did not arrive it did not arrive"
    assert [notice.run for notice in friend.heard] == ["run-held", "run-failed"]


def test_once_the_time_of_all_notices_is_over_no_further_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "ALL_SECONDS", 0.0)
    friend = Friend()
    assert notify([record("promoted"), record("held")], friend) == "No time was left to tell of run run-held."
    assert friend.heard == []


def test_where_nobody_is_named_nothing_is_told() -> None:
    assert notify([record("failed")], None) is None


def test_programs_get_the_facts_with_the_findings_that_stood_in_the_way() -> None:
    facts = notice_of(record("rejected")).facts
    assert facts == {
        "run": "run-rejected",
        "moment": "draft",
        "status": "rejected",
        "reason": "It is <b>worse</b> & <!channel>",
        "champion": "cafe" * 16,
        "findings": [FAIL, UNKNOWN],
        "started_at": "2026-11-23T03:00:00+00:00",
    }


def test_people_get_words_in_which_nobody_can_mention_anybody() -> None:
    assert notice_of(record("rejected")).text == (
        "*Tiercast: the retrain of draft was rejected*\n"
        "It is &lt;b&gt;worse&lt;/b&gt; &amp; &lt;!channel&gt;\n"
        "• C201 Accuracy &lt;on&gt; test &amp; rest\n"
        "• D101 Accuracy &lt;on&gt; test &amp; rest\n"
        "cafecafecafe goes on serving. `tiercast runs run-rejected` has it whole."
    )
    assert "Nothing serves yet." in notice_of(record("held", champion=None)).text
    assert "`tiercast models` shows which release serves" in notice_of(record("failed", champion=None)).text


def test_a_long_reason_is_cut_and_not_in_the_middle_of_an_entity() -> None:
    text = notice_of(record("failed", reason="<" * (LONGEST + 1))).text
    assert text.count("&lt;…\n") == 1
    assert text.count("&lt;") == LONGEST + 2 * 1  # and those of two titles


class Unwritable:
    """Runs that nobody can keep."""

    def save(self, record: RunRecord) -> None:  # noqa: ARG002
        raise Unavailable("the disk is full")


def test_a_run_that_nobody_could_keep_is_told_all_the_same() -> None:
    noted: list[RunRecord] = []
    with pytest.raises(Unavailable):
        Noting(Unwritable(), noted).save(record("failed"))
    assert noted == [record("failed")]
