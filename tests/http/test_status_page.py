"""The page that people open: what it shows in every state, what browsers let it do, and who may see it."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from http_service import client_of, service_of, video
from starlette.testclient import TestClient

from cli.program import tiercast
from tiercast.core.moments import Moment
from tiercast.ports.runs import InProgress, RunRecord
from tiercast.render.status import (
    Keeping,
    MomentStatus,
    Objection,
    PastRun,
    Retrains,
    Serving,
    Status,
    status_page,
)

HOSTILE = "`<script>alert(1)</script>\"'><img src=x onerror=y>`\x1b[2J"
ELSEWHERE = [
    ("POST", "/"),
    ("DELETE", "/"),
    ("GET", "//"),
    ("GET", "/index.html"),
    ("GET", "/v1/models"),
    ("GET", "/v1/runs"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("POST", "/v1/predict"),
    ("POST", "/v1/score"),
    ("POST", "/v1/videos"),
    ("POST", "/v1/rollback"),
]
AT = datetime(2026, 11, 26, tzinfo=UTC)


def basic(password: str, user: str = "anybody") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def hostile() -> Status:
    """Every text that a stranger, a stored document or a setting may have written is markup."""
    serving = Serving(
        release="cafe" * 16,
        model=HOSTILE,
        label=HOSTILE,
        marks=(HOSTILE,),
        accuracy=None,
        accuracy_interval=None,
        confidence_threshold=None,
        newest_video_at=None,
        since=AT - timedelta(days=3),
        action=HOSTILE,
        actor=HOSTILE,
        reason=HOSTILE,
    )
    run = PastRun(HOSTILE, AT, "draft", "failed", 9 * HOSTILE, [Objection(HOSTILE, HOSTILE, HOSTILE)])
    return Status(
        at=AT,
        version=HOSTILE,
        readiness="degraded",
        shortcomings={HOSTILE: HOSTILE},
        moments=[MomentStatus("draft", serving, "", (1, 2, 3, 4, 5)), MomentStatus("early", None, HOSTILE, (0,) * 5)],
        retrains=Retrains([run], None, InProgress(HOSTILE, HOSTILE, AT), HOSTILE, AT),
        keeping=Keeping(0, 0, 0, 0),
    )


@pytest.fixture
def locked(home: Path) -> Iterator[tuple[TestClient, str]]:
    key = tiercast("keys", "add", "app", home=home).out.strip()
    with client_of(home) as client:
        yield client, key


def test_it_shows_each_champion_its_runs_and_what_was_served(client: TestClient) -> None:
    told = client.post("/v1/predict", json={"videos": [video(), video(1)], "moment": "observed"}).json()
    assert len(told["predictions"]) == 2
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<span class="badge ready">ready</span>' in answer.text
    champions = service_of(client).champions.current()
    assert set(champions) == set(Moment)
    for serving in champions.values():
        manifest = serving.release.manifest
        assert f">{serving.release.id[:12]}</code>" in answer.text
        assert f"{manifest.metrics['accuracy']['value']:.1%}" in answer.text
        assert f"{manifest.metrics['accuracy']['interval'][0]:.1%} - " in answer.text
        assert f"from a probability of {manifest.confidence_threshold:.2f} on" in answer.text
        assert (manifest.newest_training_video_at or "unknown")[:10] in answer.text
    assert answer.text.count("promote: passed the gate") == 3
    for record in service_of(client).wiring.runs.recent(20):
        assert record.run in answer.text
    assert "<code>C201</code> fail: Accuracy on videos it has not seen" in answer.text
    assert "<code>0 3 * * 1</code>, next at <time" in answer.text
    observed = answer.text[answer.text.index('<tr><th scope="row">observed') :]
    counts = [int(count) for count in re.findall(r'<td class="n">(\d+)', observed)]
    tiers = [each["tier"] for each in told["predictions"]]
    assert counts == [*(tiers.count(tier) for tier in range(1, 6)), 2]


def test_the_page_is_its_own_route_in_the_metrics_and_no_part_of_the_api(client: TestClient) -> None:
    assert client.get("/").status_code == 200
    assert 'tiercast_requests_total{method="GET",route="/",status="200"} 1.0' in client.get("/metrics").text
    assert "/" not in client.get("/openapi.json").json()["paths"]


def test_browsers_apply_its_style_and_load_nothing_else(client: TestClient) -> None:
    answer = client.get("/")
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script|<link|<img|<iframe|\sstyle=|\son\w+=|https?://|url\(|@import", answer.text)
    assert "style-src" not in client.get("/healthz").headers["content-security-policy"]


def test_without_any_champion_it_says_what_to_do(tmp_path: Path) -> None:
    with client_of(tmp_path / "new") as client:
        answer = client.get("/")
    assert answer.status_code == 200
    assert '<span class="badge not-ready">not ready</span>' in answer.text
    assert answer.text.count(">none yet<") == 3
    for moment in Moment:
        assert f"<code>tiercast retrain --moment {moment.value}</code>" in answer.text
    assert "No run yet." in answer.text


def test_without_a_schedule_it_says_off_and_a_retrain_under_way_is_named(home: Path) -> None:
    (home / "tiercast.toml").write_text('[retrain]\nschedule = ""\n[serve]\nkeep_predictions_days = 0\n')
    with client_of(home) as client, service_of(client).wiring.lease("20261126T030000-abcdef"):
        page = client.get("/").text
    assert "Schedule: off." in page
    assert "A retrain is under way</strong> since <time" in page
    assert "<code>20261126T030000-abcdef</code>" in page
    assert "Served predictions are not kept (serve.keep_predictions_days is 0)." in page


@pytest.mark.parametrize("noticed", [True, False])
def test_with_the_stores_away_it_still_comes_and_says_so(home: Path, noticed: bool) -> None:
    with client_of(home) as client:
        service = service_of(client)
        champions = service.champions.current()
        (home / "videos.db").rename(home / "elsewhere.db")
        (home / "videos.db").mkdir()
        (home / "models").rename(home / "gone")
        (home / "models").write_text("a file where a folder belongs")
        service.wiring.engine.dispose()
        if noticed:
            service.look_around()
        answer = client.get("/")
    assert answer.status_code == 200
    assert "The database is out of reach, so past runs are not shown." in answer.text
    for serving in champions.values():
        assert serving.release.id[:12] in answer.text
    assert ('<span class="badge degraded">degraded</span>' in answer.text) == noticed
    assert str(home) not in answer.text


def test_a_store_that_was_never_reached_leaves_open_whether_there_is_a_champion(home: Path) -> None:
    (home / "models").rename(home / "gone")
    (home / "models").write_text("a file where a folder belongs")
    with client_of(home) as client:
        page = client.get("/").text
    assert page.count("Whether there is one is unknown while the model store is out of reach.") == 3
    assert "tiercast retrain --moment" not in page


def test_a_pin_does_not_begin_the_time_of_a_champion_anew(home: Path) -> None:
    with client_of(home) as client:
        loaded = service_of(client).champions.loaded()[Moment.OBSERVED]
    assert loaded.serving is not None
    assert (began_at := loaded.since) is not None
    pinned = tiercast("pin", loaded.serving.release.id, "--reason", "an audit", home=home)
    assert pinned.code == 0, pinned.err
    with client_of(home) as client:
        entry = service_of(client).champions.loaded()[Moment.OBSERVED].entry
        page = client.get("/").text
    assert entry is not None
    assert entry.at > began_at
    assert "pin: an audit" in page
    assert f'<dt>Since</dt><dd><time datetime="{began_at.isoformat()}"' in page
    assert entry.at.isoformat() not in page


def test_markup_in_a_run_is_shown_as_text_and_a_long_reason_whole(client: TestClient) -> None:
    reason = f"{HOSTILE} {'because ' * 60}of that."
    findings = [
        {"code": "C299", "title": HOSTILE, "outcome": "fail", "demoted": False},
        {"code": "C298", "title": "only warned", "outcome": "fail", "demoted": True},
    ]
    document = {"run": HOSTILE, "status": "held", "reason": reason, "findings": findings}
    service_of(client).wiring.runs.save(RunRecord(HOSTILE, Moment.DRAFT, "held", datetime.now(UTC), document))
    page = client.get("/").text
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    summary, _, whole = page.partition("<summary><code>&lt;script")[2].partition("</summary>")
    assert summary.endswith("because …")
    assert "because of that.</p></details>" in whole
    assert "<code>C299</code> fail: `&lt;script" in page
    assert "only warned" not in page


def test_no_text_of_any_field_becomes_markup() -> None:
    page = status_page(hostile())
    assert re.findall(r"<(?:script|img)", page) == []
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;") >= 15


def test_with_a_key_a_browser_may_send_it_as_a_password(locked: tuple[TestClient, str]) -> None:
    client, key = locked
    for sent in (
        basic(key),
        basic(key, ""),
        basic(key, "größe"),
        basic(key).replace("Basic", "basic"),
        f"Bearer {key}",
    ):
        assert client.get("/", headers={"Authorization": sent}).status_code == 200
        assert client.head("/", headers={"Authorization": sent}).status_code == 200


def test_without_it_the_page_asks_for_one_in_both_ways(locked: tuple[TestClient, str]) -> None:
    client, key = locked
    wrong = ("", "Basic", "Basic !", basic("wrong"), basic(""), basic(f"{key}x"), basic("", key), f"Basic {key}", key)
    for sent in (*wrong, "Basic " + base64.b64encode(key.encode()).decode(), "Basic /w=="):
        answer = client.get("/", headers={"Authorization": sent})
        assert answer.status_code == 401, sent
        asked = [value for name, value in answer.headers.multi_items() if name == "www-authenticate"]
        assert asked == ['Bearer realm="tiercast"', 'Basic realm="tiercast", charset="UTF-8"']
        assert "draft" not in answer.text


def test_a_password_opens_nothing_but_the_page(locked: tuple[TestClient, str]) -> None:
    client, key = locked
    for method, path in ELSEWHERE:
        answer = client.request(method, f"http://localhost{path}", headers={"Authorization": basic(key)})
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == 'Bearer realm="tiercast"'


def test_nor_does_the_cron_secret_as_a_password(home: Path) -> None:
    (home / "tiercast.toml").write_text('api_key = "k"\ncron_secret = "a-secret-of-some-length"\n')
    with client_of(home) as client:
        for path in ("/v1/cron/retrain", "/api/cron/retrain-ml"):
            for password in ("a-secret-of-some-length", "k"):
                answer = client.post(path, headers={"Authorization": basic(password)})
                assert answer.status_code == 401
                assert "Basic" not in answer.headers.get("www-authenticate", "")
