"""Structured logs on standard error."""

import logging
import sys
from typing import Final

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

TRACE: Final = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
"""A fault with its trace, without the values of variables: among them are keys, bodies and passwords."""


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
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),  # a line at once: workers share the stream
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
