"""``python -m tiercast`` is ``tiercast``."""

from tiercast.cli.main import run

run()
