"""Which adapters a home's settings lead to."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from tiercast.core.errors import InvalidInput
from tiercast.serve_settings import Notify
from tiercast.settings import Settings
from tiercast.train_settings import Retrain
from tiercast.wiring import Wiring, actor, libraries, now


def wiring(tmp_path: Path, url: str) -> Wiring:
    return Wiring(Settings(home=tmp_path, database_url=url, model_store_url=f"file://{tmp_path}/models"))


def test_an_unknown_kind_of_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="neither sqlite:///PATH nor postgresql"):
        _ = wiring(tmp_path, "mysql://x/y").engine


def test_the_password_is_not_part_of_what_people_read(tmp_path: Path) -> None:
    where = wiring(tmp_path, "postgresql://ana:secret-word@host/db").where
    assert "secret-word" not in where
    assert "ana" in where


def test_nobody_is_told_where_nobody_is_named(tmp_path: Path) -> None:
    nobody = wiring(tmp_path, "sqlite:///{home}/videos.db")
    assert nobody.notifier is None
    somebody = nobody.settings.model_copy(update={"notify": Notify(webhook_url=SecretStr("http://127.0.0.1:1/x"))})
    assert Wiring(somebody).notifier is not None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_postgres_is_postgres(tmp_path: Path, postgres_url: str, scheme: str) -> None:
    opened = wiring(tmp_path, postgres_url.replace("postgresql", scheme, 1))
    assert opened.videos.count() == (0, 0)
    assert opened.fallback_log_name() == "postgres"
    assert opened.scraped_table is None
    opened.engine.dispose()


def test_an_unusable_fallback_file_is_named_with_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    for path in (Path("frozen.json"), tmp_path / "frozen.json"):
        read = Wiring(Settings(home=home, retrain=Retrain(fallback_path=path))).fallback
        assert read is not None
        for content in (None, b"{}"):
            (tmp_path / "frozen.json").unlink(missing_ok=True)
            if content:
                (tmp_path / "frozen.json").write_bytes(content)
            with pytest.raises(InvalidInput, match=r"frozen\.json cannot be") as caught:
                read()
            assert str(tmp_path / "frozen.json") in str(caught.value)
            assert ("working directory" in str(caught.value)) == (not path.is_absolute())


def test_reading_the_settings_of_a_home_makes_nothing(tmp_path: Path) -> None:
    opened = wiring(tmp_path / "home", f"sqlite:///{tmp_path}/home/videos.db")
    assert opened.read_log() is None
    assert opened.fallback is None
    assert not (tmp_path / "home").exists()


def test_versions_and_actor_are_told() -> None:
    assert {"python", "tiercast", "numpy", "polars", "scikit-learn"} <= {*libraries()}
    assert "@" in actor()
    assert now().tzinfo is not None
