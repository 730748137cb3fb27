"""``tiercast doctor``."""

import shutil
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import typer

from tiercast.adapters.log_choice import probe
from tiercast.adapters.objects import shown_address
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, Json
from tiercast.core.errors import InvalidInput, Unavailable
from tiercast.core.moments import Moment
from tiercast.flows.champions import Roster
from tiercast.flows.doctor import Question, examine
from tiercast.flows.keys import names_of
from tiercast.flows.model_store import standing
from tiercast.render.doctor import show_answers
from tiercast.render.output import print_json
from tiercast.settings import read_settings, settings_file
from tiercast.wiring import Wiring, now

MIN_FREE_BYTES: Final = 500 * 1024**2
"""A run stages a few megabytes; below this, other programs fill the disk before the next run."""

app = typer.Typer(add_completion=False)


@app.command()
def doctor(home: Home = DEFAULT_HOME, as_json: Json = False, debug: Debug = False) -> None:
    """Check settings, database, model store, disk and champion; each is ok, or says what to do."""
    answers = examine(_questions(home))
    if as_json:
        parts = [{"name": answer.name, "ok": answer.ok, "detail": answer.detail} for answer in answers]
        print_json({"ok": all(answer.ok for answer in answers), "parts": parts})
    else:
        show_answers(answers)
    if not all(answer.ok for answer in answers):
        raise typer.Exit(1)


def _questions(home: Path) -> list[Question]:
    parts = {"database": _database, "model store": _model_store, "free disk": _disk, "champion": _champion}
    try:
        wiring = Wiring(read_settings(home))
    except InvalidInput as error:
        wrong = str(error)
        asked = {"settings": _refusal(wrong)} | {part: _refusal("not asked: see settings") for part in parts}
        return [Question(part, ask) for part, ask in {**asked, "free disk": lambda: _free(home)}.items()]
    if wiring.fallback is not None:
        parts["fallback file"] = _fallback
    return [Question(part, partial(ask, wiring)) for part, ask in {"settings": _settings, **parts}.items()]


def _refusal(sentence: str) -> Callable[[], str]:
    def refuse() -> str:
        raise InvalidInput(sentence)

    return refuse


def _settings(wiring: Wiring) -> str:
    settings = wiring.settings
    source = f"read from {settings_file(settings.home) or 'no file, so environment and defaults'}"
    models = shown_address(settings.model_store_url)
    line = settings.retrain.schedule
    due = f"serve retrains at '{line}' (cron, UTC)" if line else "serve retrains on no schedule"
    cron = "" if settings.cron_secret else ", and its cron route is closed (no cron_secret)"
    return f"{source}; home {settings.home.absolute()}, models in {models}; {due}{cron}"


def _database(wiring: Wiring) -> str:
    videos, observations = wiring.videos.count()
    beside = "" if wiring.scraped_table is None else "; a table scraped_videos is read as it is"
    setting = wiring.settings.api_key
    twice = [] if setting is None else names_of(setting.get_secret_value(), wiring.keys)
    same = f"; the setting api_key is the key {twice[0]!r} too, and opens where that is revoked" if twice else ""
    return f"{wiring.where}: {videos:,} videos, {observations:,} observations{beside}{same}"


def _model_store(wiring: Wiring) -> str:
    recorded, address = wiring.read_log(), shown_address(wiring.settings.model_store_url)
    honoured = probe(wiring.objects)
    if recorded is not None and (honoured or recorded.name != "objects"):
        return f"{address}: writable; the promotion log is kept in {_LOGS[recorded.name]}"
    if recorded is not None:
        raise Unavailable(
            f"{address} keeps its promotion log in itself, but as this machine reaches it, it does not honour "
            "put-if-absent, so nothing can be promoted. Use the endpoint that the first promoter used."
        )
    safe = "objects" if honoured else wiring.fallback_log_name()
    if safe is None:
        raise Unavailable(
            f"{address} does not honour put-if-absent, and no Postgres is set to keep the promotion log. Set "
            "database_url to Postgres, or use a store that honours it."
        )
    return f"{address}: writable; the promotion log will be kept in {_LOGS[safe]}"


_LOGS: Final = {"objects": "the store itself", "postgres": "Postgres (the store does not honour put-if-absent)"}


def _disk(wiring: Wiring) -> str:
    return _free(wiring.settings.home)


def _free(home: Path) -> str:
    place = next(folder for folder in (home.absolute(), *home.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < MIN_FREE_BYTES:
        raise Unavailable(f"Only {free / 1024**2:,.0f} MiB are free at {place}. Free some, or choose another --home.")
    return f"{free / 1024**3:,.1f} GiB free at {place}"


def _champion(wiring: Wiring) -> str:
    log, told = wiring.read_log(), []
    roster = Roster.load(wiring.objects, log, lambda: wiring.history)
    if roster.damage:
        raise Unavailable(" ".join(roster.damage.values()))
    servings = roster.answering(None)
    for moment, serving in servings.items():
        if serving.warnings:
            raise Unavailable(f"An older release serves {moment.value}: {' '.join(serving.warnings)}")
        newest = serving.release.manifest.newest_training_video_at
        age = "" if newest is None else f", learned from videos up to {newest[:10]} ({_days(newest)} days ago)"
        label = ", provisional (given labels)" if serving.release.manifest.label == "given" else ""
        pinned = ", pinned" if standing(wiring.objects, log, moment).pinned else ""
        told.append(f"{moment.value}: {serving.release.id[:12]}{pinned}{label}{age}")
    absent = [moment.value for moment in Moment if moment not in servings]
    return "; ".join(told) + (f"; none yet: {', '.join(absent)}" if absent else "")


def _fallback(wiring: Wiring) -> str:
    path, read = wiring.settings.retrain.fallback_path, wiring.fallback
    if path is None or read is None:
        return "none is set"
    return f"{path.absolute()}: {len(read().labels):,} labelled videos"


def _days(moment: str) -> int:
    return (now() - datetime.fromisoformat(moment)).days
