"""A load from a process of its own: ``python benchmarks/load.py PORT PATH RATE SECONDS CONNECTIONS < bodies``.

Bodies come one a line. RATE 0 asks as fast as answers come (closed loop); otherwise requests go out on time whether
or not earlier ones were answered (open loop), and latency counts from when a request was due. Prints one JSON line.
"""

import asyncio
import json
import sys
from collections import Counter, deque
from itertools import cycle
from time import perf_counter

import uvloop


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends requests one after another."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.buffer = b""
        self.answered: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, _exc: Exception | None) -> None:
        if self.answered and not self.answered.done():
            self.answered.set_result(0)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) >= length and self.answered and not self.answered.done():
            status, self.buffer = int(head[9:12]), b""
            self.answered.set_result(status)

    async def ask(self, request: bytes) -> int:
        if self.transport.is_closing():
            return 0
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answered


async def load(port: int, requests: list[bytes], rate: float, seconds: float, connections: int) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    free: deque[Connection] = deque()
    for _ in range(connections):
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        free.append(connection)
    bodies, latencies, statuses = cycle(requests), list[float](), Counter[int]()

    async def one(due: float) -> None:
        while not free:
            await asyncio.sleep(0.0005)
        connection = free.popleft()
        statuses[await connection.ask(next(bodies))] += 1
        latencies.append(perf_counter() - due)
        free.append(connection)

    began = perf_counter()
    if rate:
        tasks = []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - perf_counter()) > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(one(due)))
        await asyncio.gather(*tasks)
    else:

        async def repeat() -> None:
            while perf_counter() - began < seconds:
                await one(perf_counter())

        await asyncio.gather(*(repeat() for _ in range(connections)))
    took = perf_counter() - began
    latencies.sort()
    return {
        "answered": len(latencies),
        "statuses": {str(status): count for status, count in statuses.items()},
        "per_second": len(latencies) / took,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[int(len(latencies) * 0.99)],
        "worst_ms": 1000 * latencies[-1],
    }


def main() -> None:
    port, path, rate, seconds, connections = sys.argv[1:6]
    requests = []
    for line in sys.stdin.buffer:
        body = line.rstrip(b"\n")
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        requests.append(head.encode() + b"\r\n\r\n" + body)
    print(json.dumps(uvloop.run(load(int(port), requests, float(rate), float(seconds), int(connections)))))


if __name__ == "__main__":
    main()
