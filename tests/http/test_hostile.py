"""What strangers send to a program that stands open: each gets a problem or is closed, and the others their answers."""

import asyncio
import gzip
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from http_service import Program, client_of, program, until, video
from uvicorn import Config
from uvicorn.server import ServerState
from wire import PATIENCE_SECONDS, Reply, opened, received, request, sent

from tiercast.http import guard, protocol
from tiercast.http.app import create_app
from tiercast.http.problems import HEADERS
from tiercast.settings import read_settings
from tiercast.wiring import Wiring

PROBLEM = "application/problem+json"
SECRETS = {
    "TIERCAST_API_KEY": "the-api-key-of-this-test",
    "TIERCAST_CRON_SECRET": "the-cron-secret-of-this-test",
    "TIERCAST_NOTIFY__WEBHOOK_URL": "http://127.0.0.1:9/the-webhook-of-this-test",
    "TIERCAST_DATABASE_URL": "postgresql://ana:the-password-of-this-test@127.0.0.1:9/none",
}
FORGED = '\n{"event": "forged", "level": "info"}\x1b[31m\r\n'
MORE_MEMORY_BYTES = 30_000_000


@pytest.fixture(scope="module")
def served(three_champions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One program for all of them."""
    home = Path(shutil.copytree(three_champions, tmp_path_factory.mktemp("hostile") / "home"))
    with program(home) as found:
        yield found


@pytest.fixture(autouse=True)
def unharmed(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each of them: alive, ready, an answer for the next, a log of one document a line, and no fault in it."""
    if "served" not in request.fixturenames:
        yield
        return
    found: Program = request.getfixturevalue("served")
    seen = len(found.log.read_text().splitlines())
    yield
    assert found.process.poll() is None
    assert httpx2.get(f"{found.url}/readyz").json()["status"] == "ready"
    assert httpx2.post(f"{found.url}/v1/predict", json={"videos": [video()]}).status_code == 200
    lines = [json.loads(line) for line in found.log.read_text().splitlines()[seen:]]
    assert not {line["event"] for line in lines if line["level"] in ("error", "critical")}
    assert "forged" not in {line["event"] for line in lines}


def assert_refused(reply: Reply, *statuses: int) -> None:
    assert reply.status in statuses, reply
    assert reply.headers["content-type"] == PROBLEM
    assert reply.document["status"] == reply.status
    assert len(reply.document["detail"]) < 1_000
    assert b"Traceback" not in reply.body


def predicting(**changes: object) -> bytes:
    return json.dumps({"videos": [video(**changes)]}).encode()


def with_views(literal: bytes) -> bytes:
    return predicting(views="HERE").replace(b'"HERE"', literal)


# -- what is hardly HTTP

MALFORMED = {
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": b"BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a proxy's method": b"CONNECT example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path in Latin-1": b"GET /caf\xe9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header with NUL": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n",
    "a request id with a line break": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\rX-B: c\r\n\r\n",
    "a space before the colon": b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "a negative length": b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "an absurd length": b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "two lengths": b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a length and chunks": b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_http_is_told_so_and_closed(served: Program, name: str) -> None:
    before = len(served.lines())
    reply = sent(served.port, MALFORMED[name])
    assert_refused(reply, 400)
    assert reply.headers["connection"] == "close"
    assert reply.headers["content-length"] == str(len(reply.body))
    for header, value in HEADERS:
        assert reply.headers[header.decode()] == value.decode().lower()
    told = [line for line in served.lines()[before:] if line.get("request_id") == reply.headers["x-request-id"]]
    assert [line["status"] for line in told] == [400]


@pytest.mark.parametrize("path", ["/v1/models", "/healthz"])
@pytest.mark.parametrize("hosts", [(), ("evil.example", "localhost"), ("localhost", "localhost")])
def test_a_request_names_one_host(served: Program, path: str, hosts: tuple[str, ...]) -> None:
    raw = request(method="GET", path=path, headers=tuple(f"Host: {host}" for host in hosts))
    reply = sent(served.port, raw.replace(b"Host: localhost\r\n", b"", 1))
    assert_refused(reply, 400)
    assert reply.document["detail"] == f"The request has {len(hosts)} Host headers. Send exactly one."


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://localhost/v1/models", "localhost", 200),
        ("http://LOCALHOST:8000/v1/models", "evil.example", 200),
        ("http://evil.example/v1/models", "localhost", 421),
        ("http://localhost@evil.example/v1/models", "localhost", 421),
        ("http://evil.example:80/v1/models?a=//localhost", "localhost", 421),
        ("HTTP://evil.example/", "localhost", 421),
        ("http://evil.example", "localhost", 400),
        ("http://[::1/v1/models", "localhost", 400),
    ],
)
def test_the_host_in_a_target_counts_for_more_than_the_header(
    served: Program, target: str, host: str, status: int
) -> None:
    reply = sent(served.port, request(method="GET", path=target).replace(b"Host: localhost", b"Host: " + host.encode()))
    assert reply.status == status


def test_old_http_is_answered_and_closed(served: Program) -> None:
    reply = sent(served.port, b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert (reply.status, reply.document) == (200, {"status": "alive"})


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "DELETE", "PUT", "PATCH", "PROPFIND", "PURGE", "SUBSCRIBE"])
def test_methods_that_no_route_takes_are_refused(served: Program, method: str) -> None:
    assert_refused(sent(served.port, request(method=method)), 405)


def test_head_gets_a_head_and_nothing_else(served: Program) -> None:
    reply = sent(served.port, request(method="HEAD", path="/healthz"))
    assert (reply.status, reply.body) == (200, b"")
    reply = sent(served.port, request(method="HEAD", path="/v1/predict"))
    assert (reply.status, reply.body) == (405, b"")


def test_requests_sent_together_are_answered_in_their_order(served: Program) -> None:
    ids = [str(number) for number in range(50)]
    raw = [request(predicting(video_id=each), last=each == ids[-1]) for each in ids]
    with opened(served.port) as connection:
        connection.sendall(b"".join(raw))
        answers = received(connection)
    assert [piece.partition(b'"')[0].decode() for piece in answers.split(b'"video_id":"')[1:]] == ids


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/tiercast.toml",
        "/v1/runs/..%2f..%2ftiercast.toml",
        "/v1/runs/%2e%2e",
        "/v1/runs/a%00b",
        "/v1/runs/%ed%a0%80",
        "/v1/runs/a%0d%0aX-Evil:%201",
        "//evil.example/",
        "/v1/models/",
        "/videos.db",
        "/models/observed/promotions/00000001.json",
    ],
)
def test_addresses_lead_to_no_file_and_to_nobody_else(served: Program, path: str) -> None:
    reply = sent(served.port, request(method="GET", path=path))
    assert_refused(reply, 404)
    assert "location" not in reply.headers
    assert "x-evil" not in reply.headers


@pytest.mark.parametrize(
    "query", ["limit=nan", f"limit={'9' * 5_000}", "limit=%ed%a0%80%00", "limit=1&limit=x", "limit=0"]
)
def test_queries_that_make_no_sense_are_refused(served: Program, query: str) -> None:
    assert_refused(sent(served.port, request(method="GET", path=f"/v1/runs?{query}")), 422)


def test_a_query_of_a_thousand_parts_is_read_over(served: Program) -> None:
    query = "&".join(f"a{number}={number}" for number in range(1_000))
    assert sent(served.port, request(method="GET", path=f"/v1/runs?{query}")).status == 200


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "file://", "http://localhost@evil.example"])
def test_an_origin_that_is_no_address_is_another_site(served: Program, origin: str) -> None:
    assert_refused(sent(served.port, request(predicting(), headers=(f"Origin: {origin}",))), 403)


@pytest.mark.parametrize("given", ["a b", "é", '{"event":"forged"}', "a" * 65, ""])
def test_a_request_id_that_could_harm_a_log_is_replaced(served: Program, given: str) -> None:
    found = sent(served.port, request(method="GET", path="/healthz", headers=(f"X-Request-Id: {given}",)))
    assert found.headers["x-request-id"].isalnum()
    assert found.headers["x-request-id"] != given


# -- bodies that are none

UNREADABLE = {
    "UTF-16": (predicting(description="é").decode().encode("utf-16"), ()),
    "Latin-1": (json.dumps({"videos": [video(description="é")]}, ensure_ascii=False).encode("latin-1"), ()),
    "NaN": (with_views(b"NaN"), ()),
    "Infinity": (with_views(b"-Infinity"), ()),
    "NaN beside half an emoji": (with_views(b"NaN").replace(b"Sourdough", b"\\ud83d"), ()),
    "five thousand digits": (with_views(b"9" * 5_000), ()),
    "ten thousand lists": (b'{"videos": [{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}]}", ()),
    "ten thousand objects beside half an emoji": (b'{"videos": [{"b": "\\ud83d", "a": ' + b'{"a":' * 10_000, ()),
    "compressed": (gzip.compress(predicting(), mtime=0), ("Content-Encoding: gzip",)),
    "compressed in secret": (gzip.compress(predicting(), mtime=0), ()),
    "a form": (b"videos=1", ("Content-Type: application/x-www-form-urlencoded",)),
    "pickled": (b"\x80\x04K\x01.", ("Content-Type: application/python-pickle",)),
}


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/score", "/v1/videos", "/v1/rollback"])
@pytest.mark.parametrize("name", UNREADABLE)
def test_a_body_that_is_no_json_is_refused(served: Program, path: str, name: str) -> None:
    body, headers = UNREADABLE[name]
    assert_refused(sent(served.port, request(body, path=path, headers=headers)), 400, 415)


UNUSABLE: dict[str, dict[str, Any]] = {
    "a huge count": {"views": 10**400},
    "a count beyond 64 bits": {"views": 2**64},
    "a huge duration": {"duration_seconds": 10**400},
    "no platform": {"platform": "\ud83d"},
    "an id that is a list": {"video_id": ["a"]},
    "an id of three hundred digits": {"video_id": 10**300},
    "a time before time": {"published_at": "0001-01-01T00:00:00+23:59"},
    "a time after time": {"scraped_at": "9999-12-31T23:59:59-23:59"},
    "a caption that is a list": {"description": [1]},
    "an author that is an object": {"author": {"a": 1}},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_video_that_cannot_be_is_refused(served: Program, name: str) -> None:
    assert_refused(sent(served.port, request(predicting(**UNUSABLE[name]))), 422)


def test_a_number_beyond_all_numbers_is_refused(served: Program) -> None:
    assert_refused(sent(served.port, request(with_views(b"1e999"))), 422)
    assert_refused(sent(served.port, request(b'{"signals": {"rules": 1e999}}', path="/v1/score")), 422)


ODD: dict[str, dict[str, Any]] = {
    "NUL in its id": {"video_id": "a\0b"},
    "NUL in its caption": {"description": "a\0b", "author": "\0"},
    "half an emoji in its id": {"video_id": "a\ud83d"},
    "half an emoji in its author": {"author": "\ud83d"},
    "half an emoji in a text of hashtags": {"hashtags": '["fun", "\\ud83d"]'},
    "half an emoji as a field": {"\ud83d": 1},
    "a forged line of the log": {"video_id": f"1{FORGED}", "author": FORGED, "description": FORGED},
    "a caption of a megabyte": {"description": "a" * 1_000_000},
    "ten thousand hashtags": {"description": " ".join(f"#t{number}" for number in range(10_000))},
    "an id of a hundred thousand digits": {"video_id": "9" * 100_000},
}


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/videos"])
@pytest.mark.parametrize("name", ODD)
def test_a_strange_video_is_a_video(served: Program, name: str, path: str) -> None:
    document = video(**ODD[name]) if path == "/v1/videos" else {"videos": [video(**ODD[name])]}
    reply = sent(served.port, request(json.dumps(document).encode(), path=path))
    assert reply.status == 200, reply.body[:500]


def test_of_a_key_given_twice_the_last_counts(served: Program) -> None:
    twice = b'{"videos": [],' + predicting().replace(b'"views"', b'"views": 1, "views"')[1:]
    once = sent(served.port, request(predicting())).document["predictions"]
    assert sent(served.port, request(twice)).document["predictions"] == once


# -- too much


def test_ten_thousand_videos_in_one_call_are_refused(served: Program) -> None:
    body = json.dumps({"videos": [video(number) for number in range(10_000)]}).encode()
    assert_refused(sent(served.port, request(body)), 413)


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/videos", "/v1/rollback", "/v1/score"])
def test_an_announced_hundred_megabytes_are_refused_before_they_come(served: Program, path: str) -> None:
    with opened(served.port) as connection:
        connection.sendall(request(path=path).replace(b"Length: 0", b"Length: 100000000"))
        assert_refused(Reply.of(received(connection)), 413)


def test_a_hundred_megabytes_in_chunks_take_no_memory(served: Program) -> None:
    before = resident_bytes(served)
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    head = request(path="/v1/predict", last=False).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    with opened(served.port) as connection:
        connection.sendall(head)
        for _ in range(100):
            connection.sendall(piece)
        connection.sendall(b"0\r\n\r\n" + request(method="GET", path="/healthz"))
        reply = received(connection)
    assert_refused(Reply.of(reply), 413)
    assert reply.endswith(b'{"status":"alive"}'), "the rest was read over, so that the connection serves on"
    assert resident_bytes(served) - before < MORE_MEMORY_BYTES


@pytest.mark.parametrize("endless", [b"X-A: " + b"a" * 1_000 + b"\r\n", b"a" * 1_000])
def test_trailers_without_end_are_cut_off(served: Program, endless: bytes) -> None:
    before = resident_bytes(served)
    head = request(last=False).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    reply = sent(served.port, head + b"0\r\nX-B: " + endless * 50_000)
    assert reply.status in (None, 400)
    assert resident_bytes(served) - before < MORE_MEMORY_BYTES


def test_a_head_without_end_is_cut_off(served: Program) -> None:
    reply = sent(served.port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 10_000_000)
    assert reply.status in (None, 431)


def test_five_hundred_idle_connections_keep_nobody_waiting(served: Program) -> None:
    with ExitStack() as stack:
        for number in range(500):
            idle = stack.enter_context(opened(served.port))
            idle.sendall((b"", b"GET /hea", request(predicting())[:-9])[number % 3])
        for number in range(20):
            assert sent(served.port, request(predicting(video_id=str(number)))).status == 200


def resident_bytes(served: Program) -> int:
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return 1_024 * int(status.partition("VmRSS:")[2].split()[0])


# -- too slow

SLOW = {
    "nothing at all": (b"", b""),
    "a head that never ends": (b"GET /hea", b"a"),
    "empty lines before a head": (b"", b"\r\n"),
    "empty lines after an answer": (request(method="GET", path="/healthz", last=False), b"\r\n"),
    "a next head that never ends": (request(method="GET", path="/healthz", last=False) + b"GE", b"T"),
    "a body that never ends": (request(last=False).replace(b"Length: 0", b"Length: 9999"), b"a"),
    "a body for nobody": (request(path="/none", last=False).replace(b"Length: 0", b"Length: 9999"), b"a"),
    "a body that is too large": (request(last=False).replace(b"Length: 0", b"Length: 99999999"), b"a"),
    "chunks for nobody": (
        request(path="/none", last=False).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"),
        b"1\r\na\r\n",
    ),
    "a body where none belongs": (
        request(method="GET", path="/healthz", headers=("Content-Length: 9999",), last=False),
        b"a",
    ),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for longer than it takes."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.2)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.2)


@asynccontextmanager
async def listening(home: Path, **more: Any) -> AsyncIterator[int]:
    """The port of the application in this process, behind the real protocol."""
    app = create_app(Wiring(read_settings(home)))
    app.state.service.keys.refresh()  # else nobody knows yet whether requests need one
    config = Config(app, http=protocol.BoundedHeads, ws="none", lifespan="off", log_config=None, **more)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(
        lambda: protocol.BoundedHeads(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    ) as server:
        yield server.sockets[0].getsockname()[1]
    app.state.service.wiring.close()


async def dripped(port: int, first: bytes, drop: bytes) -> bytes:
    """What came until the connection was closed, though more was sent all the time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    pieces = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        with suppress(ConnectionError):
            while not pieces or pieces[-1]:
                with suppress(TimeoutError):
                    pieces.append(await asyncio.wait_for(reader.read(65_536), 0.01))
                writer.write(drop)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return b"".join(pieces)


@pytest.mark.parametrize("name", SLOW)
def test_who_sends_a_byte_now_and_then_is_closed(tmp_path: Path, impatient: None, name: str) -> None:
    async def ask() -> Reply:
        async with listening(tmp_path / "home") as port:
            return Reply.of(await dripped(port, *SLOW[name]))

    reply = asyncio.run(ask())
    if name == "a body that never ends":
        assert_refused(reply, 408)
    else:
        assert reply.status in (None, 200, 404, 413)


def test_who_comes_when_all_places_are_taken_is_told_so(tmp_path: Path) -> None:
    async def ask() -> tuple[Reply, Reply]:
        async with listening(tmp_path / "home", limit_concurrency=2) as port:
            places = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            places[0][1].write(request(method="GET", path="/healthz"))
            seated = Reply.of(await places[0][0].read())
            late = await asyncio.open_connection("127.0.0.1", port)
            later = await asyncio.open_connection("127.0.0.1", port)
            told = Reply.of(await later[0].read())
            for _, writer in (*places, late, later):
                writer.close()
            return seated, told

    seated, told = asyncio.run(ask())
    assert seated.status == 200
    assert_refused(told, 503)


def test_who_asks_twice_at_once_and_goes_away_is_no_fault(served: Program) -> None:
    """Whose answer is under way is told that nobody waits for it, also where another request came after it."""
    before = len(served.lines())
    for _ in range(20):
        with opened(served.port) as connection:
            connection.sendall(2 * request(b"x", path="/v1/videos", last=False))
    until(lambda: len([line for line in served.lines()[before:] if line.get("route") == "/v1/videos"]) >= 20 or None)


def test_who_goes_away_amid_a_body_is_no_fault(served: Program) -> None:
    before = len(served.lines())
    with opened(served.port) as connection:
        connection.sendall(request(predicting(), headers=("Expect: 100-continue",))[:-9])
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    until(lambda: any(line.get("status") == 499 for line in served.lines()[before:]) or None)


def test_a_fault_has_the_requests_id_and_is_counted(tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError("what nobody should read")

    with client_of(tmp_path / "home") as client:
        client.app.router.add_api_route("/fail", fail)  # type: ignore[attr-defined]
        answer = client.get("/fail", headers={"X-Request-Id": "mine-1"})
        counted = client.get("/metrics").text
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["x-request-id"] == "mine-1"
    assert "mine-1" in answer.json()["detail"]
    assert "nobody should read" not in answer.text
    assert 'tiercast_requests_total{method="GET",route="/fail",status="500"} 1.0' in counted


# -- what is secret


def test_neither_answers_nor_the_log_tell_a_secret(three_champions: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(three_champions, tmp_path / "home"))
    key = SECRETS["TIERCAST_API_KEY"]
    with program(home, settings=SECRETS) as found:
        until(lambda: any(line["event"] == "video store out of reach" for line in found.lines()) or None)
        bearers = (f"Authorization: Bearer {key}", f"Authorization: Bearer {key}x", f"Authorization: Basic {key}")
        secret = f"Authorization: Bearer {SECRETS['TIERCAST_CRON_SECRET']}"
        replies = [
            sent(found.port, request(predicting(), path=path, headers=(bearer,), method=method))
            for bearer in (*bearers, secret)
            for method, path in (
                ("POST", "/v1/predict"),
                ("POST", "/v1/videos"),
                ("POST", "/v1/rollback"),
                ("GET", "/v1/runs"),
                ("GET", "/v1/models"),
                ("GET", "/metrics"),
                ("GET", f"/v1/{key}"),
                ("POST", "/v1/cron/retrain"),
            )
        ]
        assert found.stop() == 0
    statuses = {reply.status for reply in replies}
    assert statuses <= {200, 401, 404, 422, 503}, statuses
    assert {200, 401, 503} <= statuses
    log = found.log.read_text()
    assert "Traceback" not in log
    for told in (log, *(reply.body.decode() for reply in replies if reply.status != 404)):
        for value in SECRETS.values():
            assert value not in told
        assert "the-password-of-this-test" not in told
        assert "the-webhook-of-this-test" not in told
