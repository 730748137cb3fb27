"""A retrain's process as its server hears it."""

import errno
import io
import os
import sys
from pathlib import Path

import pytest

from tiercast.serving.child import Child

PROGRAM = """#!/bin/sh
echo '{"event": "retrain chose", "runs": {"7": "observed"}}' >&2
sleep 0.2
echo 'Error: the disk is full of cats' >&2
exit 1
"""


class Full(io.StringIO):
    """Standard error on a full disk."""

    def write(self, text: str) -> int:  # noqa: ARG002
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_child_is_heard_to_its_end_where_its_lines_cannot_be_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(sys, "stderr", Full())
    child = Child(tmp_path, "7", {})
    assert child.wait(60) == 1
    assert (child.chosen, child.complaint) == ({"7": "observed"}, "the disk is full of cats")
