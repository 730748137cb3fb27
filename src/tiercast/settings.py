"""The settings: one frozen tree from tiercast.toml, the environment and flags, in rising order of strength."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from tiercast.core.errors import InvalidInput
from tiercast.gate_settings import Gate
from tiercast.serve_settings import Notify, Score, Serve
from tiercast.train_settings import Features, Labels, Moments, Retrain, Tiers

PREFIX: Final = "TIERCAST_"
LEVEL: Final = "__"
FILE: Final = "tiercast.toml"
HOME_VARIABLE: Final = "TIERCAST_HOME"
SECRETS: Final = ("cron_secret", "api_key", "notify.webhook_url")
"""Settings whose value no message shows."""
FREE: Final = "score.weights."
"""What follows is a name of the user's own."""


class Settings(BaseSettings):
    """The whole tree; unset URLs are placed in the home by ``read_settings``."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter=LEVEL, env_ignore_empty=True
    )

    home: Path = Field(description="folder of everything that no other setting places elsewhere")
    database_url: str = Field("sqlite:///{home}/videos.db", description="videos and runs: SQLite or postgresql://")
    model_store_url: str = Field("file://{home}/models", description="file://, s3://bucket/prefix, gs:// or az://")
    retrain: Retrain = Field(Retrain(), description="")
    features: Features = Field(Features(), description="")
    labels: Labels = Field(Labels(), description="")
    moments: Moments = Field(Moments(), description="")
    tiers: Tiers = Field(Tiers(), description="")
    gate: Gate = Field(Gate(), description="")
    score: Score = Field(Score(), description="")
    serve: Serve = Field(Serve(), description="")
    notify: Notify = Field(Notify(), description="")
    cron_secret: SecretStr | None = Field(
        None, min_length=1, description="bearer of the cron route; none: it answers 503"
    )
    api_key: SecretStr | None = Field(
        None, min_length=1, description="one bearer key of the API, beside those of `tiercast keys`"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the hook hands in every source)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller gives and nothing else: only ``read_settings`` asks file and environment."""
        return (init_settings,)


def read_settings(home: Path) -> Settings:
    """The settings of a home; raises InvalidInput naming the key, its source, the value and what was possible."""
    file = settings_file(home)
    document = _read(file) if file else {}
    _refuse_unknown(document, file)
    try:
        environment = EnvSettingsSource(Settings)()
        environment.pop("home", None)  # --home has read TIERCAST_HOME already, and may say otherwise
        settings = Settings(**{**_merged(document, environment), "home": home})
    except SettingsError as error:
        raise InvalidInput(_unreadable(error)) from error
    except ValidationError as error:
        raise InvalidInput(_sentence(error, file)) from error
    place = home.absolute()
    placed = {
        "database_url": settings.database_url.replace("{home}", str(place)),
        "model_store_url": settings.model_store_url.replace("{home}", place.as_uri().removeprefix("file://")),
    }
    return settings.model_copy(update=placed)


def settings_file(home: Path) -> Path | None:
    """The settings file in use: that of the home, else of the working directory, else none."""
    return next((path.absolute() for path in (home / FILE, Path(FILE)) if path.is_file()), None)


def declared_settings(model: type[BaseModel] | None = None, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting's dotted name and its declared field, in order; ``home`` is a flag, not a setting."""
    for name, declared in (model or Settings).model_fields.items():
        kind = declared.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from declared_settings(kind, f"{prefix}{name}.")
        elif name != "home":
            yield prefix + name, declared


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The settings file {file} cannot be read ({error}).") from error


def _merged(document: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what stands over it, key by key.

    >>> _merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    merged = dict(document)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _refuse_unknown(document: Mapping[str, Any], file: Path | None) -> None:
    names = [name for name, _ in declared_settings()]
    sources = [(key, f"in {file}") for key in _flat(document)]
    sources += [(key, f"environment variable {variable}") for variable, key in _environment()]
    for key, source in sources:
        if not any(key == name or name.startswith(f"{key}.") for name in names) and not key.startswith(FREE):
            raise InvalidInput(f"There is no setting {key!r} ({source}). {_nearest(key, names)}")


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _environment() -> Iterator[tuple[str, str]]:
    """Every variable that sets something, as it is written, and the dotted name that it sets."""
    for variable in os.environ:
        if variable.upper().startswith(PREFIX) and variable.upper() != HOME_VARIABLE:
            yield variable, variable[len(PREFIX) :].lower().replace(LEVEL, ".")


def _nearest(key: str, names: list[str]) -> str:
    """The setting that was probably meant, first by its last part within its section; else those that there are."""
    section, _, last = key.rpartition(".")
    within = {name.removeprefix(f"{section}."): name for name in names if section and name.startswith(f"{section}.")}
    near = get_close_matches(last, within, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {within[near[0]]!r}?"
    elsewhere = [name for name in names if name.rpartition(".")[2] == last]  # TOML: a line below a [section] is its own
    if elsewhere:
        return f"Did you mean {elsewhere[0]!r}?"
    if within:
        there = [f"[{section}.{name.split('.')[0]}]" if "." in name else name for name in within]
        return f"[{section}] has {', '.join(dict.fromkeys(there))}."
    near = get_close_matches(key, names, n=1, cutoff=0.4)
    return f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(names)}."


def _sentence(error: ValidationError, file: Path | None) -> str:
    first, *others = error.errors()
    name = _setting_of(first["loc"])
    messages = [each["msg"] for each in (first, *others) if _setting_of(each["loc"]) == name]
    told = ", or ".join(f"{message[0].lower()}{message[1:]}" for message in dict.fromkeys(messages))
    variables = [
        variable for variable, key in _environment() if os.environ[variable] and f"{name}.".startswith(f"{key}.")
    ]
    source = f"environment variable {max(variables, key=len)}" if variables else f"in {file}"
    value = "***" if name in SECRETS else repr(first["input"])
    return f"The setting {name} is {value} ({source}): {told}."


def _setting_of(place: tuple[int | str, ...]) -> str:
    """The setting at a place where validation failed, without the kinds that its value may have."""
    name = ".".join(map(str, place))
    return next((setting for setting, _ in declared_settings() if f"{name}.".startswith(f"{setting}.")), name)


def _unreadable(error: SettingsError) -> str:
    """Which variable holds no JSON where a list or a table belongs; the error itself names only the outermost field."""
    found = re.search(r'field "(\w+)"', str(error))
    variables = [variable for variable, key in _environment() if found and key.split(".")[0] == found[1]]
    named = " or ".join(variable for variable in variables if not _is_json(os.environ[variable]))
    return f"The setting in environment variable {named} cannot be read: a list or a table is written as JSON."


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
