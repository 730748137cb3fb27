"""The settings: one frozen tree from tiercast.toml, the environment and flags, in rising order of strength."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment

PREFIX: Final = "TIERCAST_"
LEVEL: Final = "__"
FILE: Final = "tiercast.toml"
HOME_VARIABLE: Final = "TIERCAST_HOME"

_FROZEN: Final = ConfigDict(frozen=True, extra="forbid")


class Retrain(BaseModel):
    """How a training set is drawn."""

    model_config = _FROZEN

    max_videos: int = Field(10_000, ge=1, description="newest usable videos to learn from")
    min_videos: int = Field(500, ge=1, description="fewer usable videos: the fallback file, else hold")
    fallback_path: Path | None = Field(None, description="frozen training set used below min_videos")
    test_share: float = Field(0.2, gt=0, lt=1, description="share of each tier that tests, never trains")
    seed: int = Field(42, ge=0, description="decides which videos test and how folds are drawn")
    save_per_like: float = Field(0.15, ge=0, le=1, description="saves per like, where saves are unknown")
    moments: tuple[Moment, ...] = Field((Moment.OBSERVED,), min_length=1, description="what a plain retrain trains")


class MomentGate(BaseModel):
    """Bars of one moment, over the bars of all."""

    model_config = _FROZEN

    min_accuracy: float | None = Field(None, ge=0, le=1, description="accuracy floor of this moment alone")


class Gate(BaseModel):
    """The bars a candidate has to meet."""

    model_config = _FROZEN

    min_accuracy: float = Field(0.60, ge=0, le=1, description="lowest accuracy on the test videos that may serve")
    observed: MomentGate = Field(MomentGate(), description="")

    def min_accuracy_of(self, moment: Moment) -> float:
        """The floor of a moment: its own, else the one of all."""
        own = {Moment.OBSERVED: self.observed}[moment].min_accuracy
        return self.min_accuracy if own is None else own


class Settings(BaseSettings):
    """The whole tree; unset URLs are placed in the home by ``read_settings``."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter=LEVEL, env_ignore_empty=True
    )

    home: Path = Field(description="folder of everything that no other setting places elsewhere")
    database_url: str = Field("sqlite:///{home}/videos.db", description="videos and runs: SQLite or postgresql://")
    model_store_url: str = Field("file://{home}/models", description="file://, s3://bucket/prefix, gs:// or az://")
    retrain: Retrain = Field(Retrain(), description="")
    gate: Gate = Field(Gate(), description="")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the hook hands in every source)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over what the file says, and nothing else."""
        return env_settings, init_settings


def read_settings(home: Path) -> Settings:
    """The settings of a home; raises InvalidInput naming the key, the value and what was possible."""
    document = _read_file(home)
    names = [name for name, _ in declared_settings()]
    for key in (*_flat(document), *_environment_keys()):
        if not any(key == name or name.startswith(f"{key}.") for name in names):
            raise InvalidInput(f"There is no setting {key!r}. {_nearest(key, names)}")
    try:
        settings = Settings(**{**document, "home": home})
    except (ValidationError, SettingsError) as error:
        raise InvalidInput(_sentence(error)) from error
    place = str(home.absolute())
    placed = {name: getattr(settings, name).replace("{home}", place) for name in ("database_url", "model_store_url")}
    return settings.model_copy(update=placed)


def declared_settings(model: type[BaseModel] | None = None, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting's dotted name and its declared field, in order; ``home`` is a flag, not a setting."""
    for name, declared in (model or Settings).model_fields.items():
        kind = declared.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from declared_settings(kind, f"{prefix}{name}.")
        elif name != "home":
            yield prefix + name, declared


def _read_file(home: Path) -> dict[str, Any]:
    """The settings file of the home, else of the working directory, else nothing."""
    path = next((path for path in (home / FILE, Path(FILE)) if path.is_file()), None)
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The settings file {path} cannot be read ({error}).") from error


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def _environment_keys() -> Iterator[str]:
    for variable in os.environ:
        if variable.upper().startswith(PREFIX) and variable.upper() != HOME_VARIABLE:
            yield variable[len(PREFIX) :].lower().replace(LEVEL, ".")


def _nearest(key: str, names: list[str]) -> str:
    near = get_close_matches(key, names, n=1, cutoff=0.4)
    return f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(names)}."


def _sentence(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return f"A setting in the environment cannot be read: {error}."
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"]))
    return f"The setting {name} is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}."
