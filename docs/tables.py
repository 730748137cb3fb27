"""Writes the tables in the docs that mirror the code: ``make docs``. A test fails when they differ."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import typer
from prometheus_client.metrics import MetricWrapperBase

from tiercast.checks import CHECKS
from tiercast.cli import main, serve
from tiercast.core.moments import Moment
from tiercast.core.video import COLUMNS
from tiercast.gate_settings import Gate, MomentGate
from tiercast.http import guard, protocol
from tiercast.http.metrics import Metrics
from tiercast.learn.features import HELD_ON_VIEWS, OBSERVED
from tiercast.learn.features.draft import DRAFT
from tiercast.learn.features.early import FIRST_HOURS
from tiercast.serve_settings import Serve
from tiercast.settings import LEVEL, PREFIX, declared_settings

ROOT: Final = Path(__file__).resolve().parents[1]
BLOCK: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> Iterator[str]:
    """Every setting with its variable, default and meaning."""
    yield "| setting | environment variable | default | |\n|---|---|---|---|\n"
    for name, field in declared_settings():
        if name.startswith(tuple(f"gate.{moment}." for moment in Moment)):
            continue  # the table of bars has them, side by side
        default = "none" if field.default is None else _plain(field.default)
        variable = PREFIX + name.upper().replace(".", LEVEL)
        yield f"| `{name}` | `{variable}` | `{default}` | {field.description} |\n"


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return str([str(item) for item in value]).replace("'", '"')
    return str(value)


def commands() -> Iterator[str]:
    """Every command with its arguments and options."""
    for name in main.COMMANDS:
        yield from _command(name, typer.main.get_command(main.command_module(name).app))


def _command(name: str, command: Any) -> Iterator[str]:
    """One command, or each of a group."""
    for part, inner in getattr(command, "commands", {}).items():
        yield from _command(f"{name} {part}", inner)
    if hasattr(command, "commands"):
        return
    yield f"\n### tiercast {name}\n\n{' '.join(str(command.help).split())}\n\n| | |\n|---|---|\n"
    for parameter in command.params:
        if parameter.name != "help":
            yield f"| `{_shown(parameter)}` | {getattr(parameter, 'help', '') or ''} |\n"


def _shown(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return name + ("..." if parameter.nargs == -1 else "")
    flag = ", ".join(parameter.opts)
    return flag if parameter.is_flag else f"{flag} {parameter.name.upper()}"


def checks() -> Iterator[str]:
    """Every check of the gate."""
    yield "| code | question | why |\n|---|---|---|\n"
    for check in sorted(CHECKS, key=lambda each: each.code.translate({ord("D"): "1", ord("C"): "2", ord("L"): "3"})):
        yield f"| {check.code} | {check.title} | {check.why} |\n"


def bars() -> Iterator[str]:
    """Every bar of the gate: its checks, unit and default for each moment, and the reason."""
    yield "| setting | checks | unit | observed | early | draft | why |\n|---|---|---|---|---|---|---|\n"
    gate = Gate()
    for name, field in MomentGate.model_fields.items():
        told: Any = field.json_schema_extra
        defaults = [getattr(gate.bars(moment), name) for moment in (Moment.OBSERVED, Moment.EARLY, Moment.DRAFT)]
        shown = " | ".join("none" if value is None else f"{value:g}" for value in defaults)
        yield f"| `gate.<moment>.{name}` | {told['codes']} | {told['unit']} | {shown} | {field.description} |\n"


def features() -> Iterator[str]:
    """The 15 features of the moment ``observed``, in order."""
    yield "| | feature | in frozen files | 1.0 is | meaning |\n|---|---|---|---|---|\n"
    for number, feature in enumerate(OBSERVED, 1):
        held = " (held)" if feature.name in HELD_ON_VIEWS else ""
        yield f"| {number} | `{feature.name}`{held} | `{feature.frozen_name}` | {feature.unit} | {feature.meaning} |\n"


def forecast_features() -> Iterator[str]:
    """What a forecast knows: when it can be known, what it needs, and whether the creator can still change it."""
    yield "| feature | from | needs | unit | range | can be changed | meaning |\n|---|---|---|---|---|---|---|\n"
    for feature in (*FIRST_HOURS, *DRAFT):
        change = "yes" if feature.changeable else ""
        yield (
            f"| `{feature.name}` | {feature.moment} | {feature.needs} | {feature.unit} | {feature.low:g} to "
            f"{feature.high:g} | {change} | {feature.meaning} |\n"
        )


def columns() -> Iterator[str]:
    """The canonical columns of a video and its observations."""
    yield "| column | kind | meaning |\n|---|---|---|\n"
    for column in COLUMNS:
        yield f"| `{column.name}` | {column.kind} | {column.meaning} |\n"


def metrics() -> Iterator[str]:
    """What Prometheus may read of the service."""
    yield "| metric | kind | labels | |\n|---|---|---|---|\n"
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)
            yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n"


def limits() -> Iterator[str]:
    """What the service allows a caller, and what an answer beyond it is."""
    yield "| | at most | else |\n|---|---|---|\n"
    yield f"| address and headers | {protocol.MAX_HEAD_BYTES:,} bytes | 431 |\n"
    yield f"| time until they are there | {protocol.HEAD_SECONDS:g} s | the connection is closed |\n"
    yield f"| body | `serve.max_body_bytes`, {Serve().max_body_bytes:,} bytes | 413 |\n"
    yield f"| time until it is there | {guard.BODY_SECONDS:g} s | 408 |\n"
    yield f"| videos in one request | `serve.max_videos`, {Serve().max_videos:,} | 413 |\n"
    yield f"| connections to one worker | {serve.MAX_CONNECTIONS:,} | 503 |\n"


TABLES: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "settings": settings,
    "commands": commands,
    "checks": checks,
    "bars": bars,
    "features": features,
    "forecast_features": forecast_features,
    "columns": columns,
    "metrics": metrics,
    "limits": limits,
}


def filled(text: str) -> str:
    """The page with each marked table as the code has it now."""
    return BLOCK.sub(lambda found: found[1] + "".join(TABLES[found[2]]()) + found[3], text)


def pages() -> list[Path]:
    """Every Markdown page of the project's docs."""
    return sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


if __name__ == "__main__":
    for page in pages():
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
