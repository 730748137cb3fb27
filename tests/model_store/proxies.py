"""A small HTTP proxy before the S3 server, to be as unhelpful as real stores are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Proxy(ThreadingHTTPServer):
    """Forwards everything; may drop a request header, and may lose the answers to some writes of one key."""

    daemon_threads = True

    def __init__(self, target: str, *, drop: str = "", lose: int = 0, lose_below: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target).netloc
        self.drop, self.lose, self.lose_below = drop, lose, lose_below
        self.writes = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def loses(self, method: str, path: str) -> bool:
        """Whether this answer is lost; each loss counts down."""
        if method != "PUT" or self.lose_below not in path:
            return False
        self.writes += 1
        self.lose -= 1
        return self.lose >= 0


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() != self.server.drop.lower()}
        connection = HTTPConnection(self.server.target)
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        status, content, kept = answer.status, answer.read(), answer.getheaders()
        connection.close()
        if self.server.loses(self.command, self.path):
            status, content, kept = 503, b"", []
        self.send_response(status)
        for name, value in kept:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _forward  # noqa: N815  # the names that http.server looks for

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running(proxy: Proxy) -> Iterator[Proxy]:
    """The proxy, answering until the block ends."""
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
