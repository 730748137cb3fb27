"""Structured logs on standard error."""

import logging
import sys
from contextlib import suppress
from typing import Final, TextIO, cast

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

TRACE: Final = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
"""A fault with its trace, without the values of variables: among them are keys, bodies and passwords."""


class _Unstoppable:
    """Standard error, whether or not somebody reads it: no work ends because a line about it cannot be written."""

    def write(self, text: str) -> None:
        """Write what can be written."""
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Send what can be sent."""
        with suppress(OSError):
            sys.stderr.flush()


def log_to_stderr(*, debug: bool) -> None:
    """One JSON object a line, with time and level; everything from ``info`` up, or from ``debug``."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            TRACE,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        # A line at once: workers share the stream.
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Unstoppable())),
        cache_logger_on_first_use=True,
    )


def library_logs_to_stderr() -> None:
    """Warnings of libraries as the same JSON lines; what they tell below that is of no use to an operator."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                TRACE,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
