"""A retrain in a process of its own: how it is started, heard, and ended."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import structlog

from tiercast.adapters.handover import CHOSEN
from tiercast.core.errors import Unavailable

NICENESS: Final = 10
"""Beside a prediction it gets about a tenth of a core, and all of one where nothing is asked."""


class Child:
    """``tiercast retrain --json`` under a lower priority; its log lines become ours, its answer is kept."""

    def __init__(self, home: Path, run: str, handed: Mapping[str, str]) -> None:
        command = [sys.executable, "-P", "-m", "tiercast", "retrain", "--json", "--home", str(home.absolute())]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **handed},
                start_new_session=True,  # Ctrl-C ends the server, which ends the child
            )
        except OSError as error:
            raise Unavailable(f"The retrain's process could not be started ({error.strerror}). Try again.") from error
        _lower_priority(self._process.pid)
        self.pid = self._process.pid
        self._run = run
        self._answer = b""
        self.chosen: Mapping[str, str] = {}
        """The moments of its runs by their ids, in their order; empty until it has told them."""
        self.complaint = ""
        """Its last sentence that said what failed."""
        pipes = ((self._process.stdout, self._read), (self._process.stderr, self._pass_on))
        self._readers = [threading.Thread(target=read, args=(pipe,), daemon=True) for pipe, read in pipes]
        for reader in self._readers:
            reader.start()

    def wait(self, seconds: float) -> int | None:
        """Its exit code, negative where a signal ended it; None where it goes on after these seconds."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        for reader in self._readers:
            reader.join()
        return code

    def document(self) -> Mapping[str, Any] | None:
        """Its answer, once it has ended; None where it gave none."""
        with suppress(ValueError):
            found = json.loads(self._answer)
            if isinstance(found, dict):
                return found
        return None

    def terminate(self) -> None:
        """Ask it to end cleanly."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            self._answer = pipe.read()

    def _pass_on(self, pipe: IO[bytes]) -> None:
        log = structlog.get_logger()
        with pipe:
            for raw in pipe:
                line = raw.decode(errors="replace").rstrip()
                if line.startswith("{"):
                    self.chosen = _chosen(line) or self.chosen
                    with suppress(OSError):  # nobody reads it, or there is no room; its end is heard all the same
                        sys.stderr.write(line + "\n")  # a line of its log, which is as ours
                    continue
                if line.startswith("Error: "):
                    self.complaint = line.removeprefix("Error: ")
                if line:
                    log.info("retrain said", run=self._run, said=line)


def _chosen(line: str) -> Mapping[str, str] | None:
    """The runs that a line of its log tells; None where it tells something else."""
    with suppress(ValueError):
        said = json.loads(line)
        if said.get("event") == CHOSEN:
            runs: Mapping[str, str] = said["runs"]
            return runs
    return None


def why(code: int) -> str:
    """What an exit code says, in words.

    >>> why(-9), why(3)
    ('was ended by SIGKILL (out of memory, or somebody ended it)', 'ended with exit code 3 and without an answer')
    """
    if code >= 0:
        return f"ended with exit code {code} and without an answer"
    names = {each.value: each.name for each in signal.Signals}
    return f"was ended by {names.get(-code, f'signal {-code}')} (out of memory, or somebody ended it)"


def _lower_priority(pid: int) -> None:
    if hasattr(os, "setpriority"):
        with suppress(OSError):  # it may have ended already
            os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
