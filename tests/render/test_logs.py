"""What a log line holds."""

import json
import subprocess
import sys

FAULT = """
import structlog
import logging
from tiercast.render.logs import library_logs_to_stderr, log_to_stderr

log_to_stderr(debug=False)
library_logs_to_stderr()

def fail(key):
    raise RuntimeError("broken")

for tell in (structlog.get_logger().exception, logging.getLogger("a library").exception):
    try:
        fail("the-" + "secret")
    except RuntimeError:
        tell("fault")
"""


def test_a_fault_is_told_with_its_trace_and_without_the_values_of_variables() -> None:
    done = subprocess.run([sys.executable, "-c", FAULT], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["fault", "fault"]
    for line in lines:
        (trace,) = line["exception"]
        assert (trace["exc_type"], trace["exc_value"]) == ("RuntimeError", "broken")
        assert trace["frames"][-1]["name"] == "fail"
    assert "the-secret" not in done.stderr
