"""Settings: the contract's defaults, where values come from, and what a wrong one is told."""

import os
from pathlib import Path

import pytest

from tiercast.checks import CHECKS, NEVER_DEMOTED
from tiercast.core.errors import InvalidInput
from tiercast.core.moments import Moment
from tiercast.core.tiers import RelativeTo
from tiercast.gate_settings import Gate, MomentGate
from tiercast.settings import Settings, declared_settings, read_settings, settings_file
from tiercast.wiring import Wiring

CONTRACT = {
    "retrain.max_videos": 10_000,
    "retrain.min_videos": 500,
    "retrain.fallback_path": None,
    "retrain.test_share": 0.2,
    "retrain.seed": 42,
    "retrain.save_per_like": 0.15,
    "retrain.moments": "auto",
    "features.history": "auto",
    "features.embargo_days": 0,
    "features.history_videos": 100_000,
    "labels.at": "horizon",
    "labels.horizon_days": 7,
    "labels.maturity_days": 7,
    "labels.max_age_days": 30,
    "labels.min_days_after": 0,
    "labels.known_at": "auto",
    "moments.early_max_age_hours": 72,
    "moments.early_rows": "each",
    "tiers.relative_to": "all",
    "tiers.min_cohort": 200,
    "tiers.min_posts": 3,
    "gate.min_accuracy": None,
    "gate.warn_only": (),
}
BARS = {
    "max_zero_jump": 0.20,
    "max_edge_factor": 1.5,
    "max_newest_age_days": 7,
    "min_accuracy": None,
    "min_recall": 0.05,
    "min_confident_accuracy": None,
    "min_confident_rows": 200,
    "min_coverage": 0.20,
    "min_within_one": None,
    "max_calibration_error": None,
    "accuracy_margin": 0.01,
    "log_loss_margin": 0.01,
    "min_compared_rows": 500,
    "min_compared_creators": 50,
    "slice_margin": 0.02,
    "min_slice_rows": 100,
    "max_calibration_loss": 0.02,
    "max_accuracy": 0.90,
    "max_feature_accuracy": 0.75,
    "max_missing_jump": 0.20,
    "cool_down_hours": 0,
}
CONTRACT |= {f"gate.{moment}.{name}": value for moment in Moment for name, value in BARS.items()}
CONTRACT |= {
    "gate.early.max_accuracy": 0.98,
    "gate.early.max_feature_accuracy": 0.95,
    "gate.draft.min_confident_accuracy": 0.60,
    "gate.draft.min_within_one": 0.75,
    "gate.draft.max_calibration_error": 0.05,
    "gate.draft.max_accuracy": 0.85,
}
CONTRACT |= {
    "retrain.schedule": "0 3 * * 1",
    "retrain.max_seconds": 120,
    "score.weights": {"behavioral": 0.35, "gemini": 0.25, "ml": 0.15, "rules": 0.15, "trends": 0.10},
    "serve.max_body_bytes": 8_000_000,
    "serve.max_videos": 1_000,
    "serve.check_seconds": 5,
    "serve.keep_predictions_days": 90,
    "serve.max_waiting_predictions": 50_000,
    "serve.hosts": (),
    "notify.webhook_url": None,
    "notify.format": "auto",
    "cron_secret": None,
    "api_key": None,
}
PLACED = {"database_url", "model_store_url"}
"""Their defaults stand in the home."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home beside a working directory, without any setting."""
    for name in [name for name in os.environ if name.startswith("TIERCAST_")]:
        monkeypatch.delenv(name)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def value_of(home: Path, name: str) -> object:
    value: object = read_settings(home)
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("name", CONTRACT)
def test_a_default_is_the_contracts(home: Path, name: str) -> None:
    assert value_of(home, name) == CONTRACT[name]
    assert name in dict(declared_settings())


def test_every_setting_has_a_default_in_the_contract() -> None:
    assert {name for name, _ in declared_settings()} - PLACED == {*CONTRACT}


def test_database_and_models_stand_in_the_home_by_default(home: Path) -> None:
    settings = read_settings(home)
    assert settings.database_url == f"sqlite:///{home}/videos.db"
    assert settings.model_store_url == f"file://{home}/models"
    assert read_settings(Path("relative")).database_url == f"sqlite:///{Path.cwd()}/relative/videos.db"


def test_every_setting_says_what_it_is() -> None:
    for name, declared in declared_settings():
        bar = name.rsplit(".", 1)[-1] if name.count(".") == 2 else None  # a bar has one reason for all moments
        assert declared.description or (bar and MomentGate.model_fields[bar].description), name


def test_every_bar_names_checks_that_exist_and_its_unit_and_no_check_with_a_bar_is_left_out() -> None:
    codes = {check.code for check in CHECKS}
    named: set[str] = set()
    for name, field in MomentGate.model_fields.items():
        told = field.json_schema_extra
        assert isinstance(told, dict)
        assert told["unit"], name
        spans = [part.split("-") for part in str(told["codes"]).split(", ")]
        named |= {code for code in codes for span in spans if span[0] <= code <= span[-1]}
    assert named <= codes
    without_a_bar = {"C203", "C204", "C206", "C207", "D101", "D102", "D103", "D104", "D108", "L301", "L303"}
    assert codes - named == without_a_bar


def test_the_bars_of_a_moment_are_its_settings_one_by_one() -> None:
    for moment in Moment:
        bars, own = Gate().bars(moment), Gate().of(moment).model_dump()
        floor = None if moment is Moment.DRAFT else 0.60
        assert {name: getattr(bars, name) for name in own} == {**own, "min_accuracy": floor}


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize("name", ["MAX_EDGE_FACTOR", "MIN_RECALL", "LOG_LOSS_MARGIN", "MAX_NEWEST_AGE_DAYS"])
def test_a_bar_that_is_no_number_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"TIERCAST_GATE__OBSERVED__{name}", value)
    assert f"gate.observed.{name.lower()} is" in refusal(home)


@pytest.mark.parametrize("code", NEVER_DEMOTED)
def test_without_some_checks_there_is_nothing_to_judge_so_they_cannot_only_warn(
    home: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setenv("TIERCAST_GATE__WARN_ONLY", f'["C214", "{code}"]')
    assert f"{code} cannot only warn" in refusal(home)


def test_a_check_is_demoted_by_its_code_once_and_an_unknown_code_is_told_those_that_exist(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "tiercast.toml").write_text('[gate]\nwarn_only = ["C214", "C209", "C214"]\n')
    assert read_settings(home).gate.warn_only == ("C209", "C214")
    monkeypatch.setenv("TIERCAST_GATE__WARN_ONLY", '["C299", "C214", "all"]')
    said = refusal(home)
    assert "gate.warn_only" in said
    assert "there is no check C299, all; there are D101, D102" in said
    assert said.rstrip(".").endswith("L303")


def test_the_file_of_the_home_is_read_rather_than_that_of_the_working_directory(home: Path) -> None:
    Path("tiercast.toml").write_text("[retrain]\nseed = 1\n")
    assert read_settings(home).retrain.seed == 1
    (home / "tiercast.toml").write_text("[retrain]\nmin_videos = 77\n")
    settings = read_settings(home)
    assert (settings.retrain.min_videos, settings.retrain.seed) == (77, 42)


def test_the_environment_is_stronger_than_the_file_key_by_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "tiercast.toml").write_text("[retrain]\nmin_videos = 77\nseed = 5\n")
    monkeypatch.setenv("TIERCAST_RETRAIN__SEED", "6")
    settings = read_settings(home)
    assert (settings.retrain.min_videos, settings.retrain.seed) == (77, 6)


def test_an_empty_variable_sets_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERCAST_DATABASE_URL", "")
    assert read_settings(home).database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("databse_url = 'x'", "'database_url'"),
        ("[retrain]\nmin_vidoes = 5", "'retrain.min_videos'"),
        ("[gate.observed]\nmin_acuracy = 0.5", "'gate.observed.min_accuracy'"),
        ("[retrain]\nx = 5", "[retrain] has max_videos, min_videos,"),
        ("[gate]\nzebra = 5", "[gate] has min_accuracy, warn_only, [gate.observed], [gate.early], [gate.draft]."),
        ("[retrian]\nseed = 5", "'retrain.seed'"),
        ("[retrain]\ndatabase_url = 'x'", "'database_url'"),
    ],
)
def test_an_unknown_key_of_the_file_names_its_nearest_neighbour(home: Path, text: str, words: str) -> None:
    (home / "tiercast.toml").write_text(text)
    with pytest.raises(InvalidInput, match="There is no setting") as error:
        read_settings(home)
    assert words in str(error.value)


def test_an_unknown_variable_names_its_nearest_neighbour(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERCAST_RETRAIN__SED", "5")
    with pytest.raises(InvalidInput, match=r"retrain\.sed.*'retrain\.seed'"):
        read_settings(home)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETRAIN__SEED", "many"),
        ("RETRAIN__SEED", "-1"),
        ("RETRAIN__MAX_VIDEOS", "0"),
        ("RETRAIN__TEST_SHARE", "1"),
        ("RETRAIN__TEST_SHARE", "nan"),
        ("RETRAIN__SAVE_PER_LIKE", "2"),
        ("GATE__MIN_ACCURACY", "60"),
        ("GATE__MIN_ACCURACY", "nan"),
        ("RETRAIN__MOMENTS", "observed"),
        ("RETRAIN__MOMENTS", '["tomorrow"]'),
        ("RETRAIN__MOMENTS", "[]"),
        ("LABELS__HORIZON_DAYS", "0"),
        ("LABELS__HORIZON_DAYS", "inf"),
        ("LABELS__HORIZON_DAYS", "nan"),
        ("LABELS__MAX_AGE_DAYS", "-1"),
        ("LABELS__MAX_AGE_DAYS", "0"),
        ("LABELS__MAX_AGE_DAYS", "inf"),
        ("LABELS__MAX_AGE_DAYS", "nan"),
        ("LABELS__MAX_AGE_DAYS", "never"),
        ("LABELS__AT", "sometime"),
        ("FEATURES__EMBARGO_DAYS", "inf"),
        ("MOMENTS__EARLY_MAX_AGE_HOURS", "inf"),
        ("TIERS__RELATIVE_TO", "nobody"),
        ("GATE__DRAFT__MIN_COVERAGE", "20"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_told_in_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TIERCAST_{name}", value)
    with pytest.raises(InvalidInput, match="setting") as error:
        read_settings(home)
    said = str(error.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert len(said) < 300
    assert name.lower().replace("__", ".").split(".")[0] in said.lower()


def refusal(home: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_settings(home)
    return str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TIERCAST_GATE__MIN_ACURACY", "0.7"),
        ("TIERCAST_GATE__MIN_ACCURACY", "60"),
        ("TIERCAST_RETRAIN__MOMENTS", "observed"),
        ("TIERCAST_RETRAIN__MOMENTS", '["tomorrow"]'),
        ("TIERCAST_RETRAIN", '{"seed": "x"}'),
        ("tiercast_retrain__seed", "x"),
    ],
)
def test_a_wrong_variable_is_named_in_full(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    (home / "tiercast.toml").write_text("[retrain]\nseed = 5\n[gate]\nmin_accuracy = 0.5\n")
    monkeypatch.setenv(variable, value)
    said = refusal(home)
    assert f"environment variable {variable}" in said
    assert "tiercast.toml" not in said


@pytest.mark.parametrize("text", ["[gate]\nmin_acuracy = 0.7", "[gate]\nmin_accuracy = 60", "[retrain]\nseed = 'x'"])
def test_a_wrong_value_of_the_file_names_the_file(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TIERCAST_RETRAIN__MIN_VIDEOS", "7")
    (home / "tiercast.toml").write_text(text)
    assert f"(in {home}/tiercast.toml)" in refusal(home)


def test_the_home_is_the_callers_whatever_the_environment_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERCAST_HOME", "/elsewhere")
    settings = read_settings(home)
    assert settings.home == home
    assert Settings(home=home).home == home
    assert "elsewhere" not in settings.database_url + settings.model_store_url


def test_settings_that_are_made_in_code_ignore_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERCAST_DATABASE_URL", "postgresql://the-teams-own/database")
    assert Settings(home=home, database_url="sqlite:///x").database_url == "sqlite:///x"


@pytest.mark.parametrize("name", ["50%20off", "what?", "a#b", "a b", "Ünï", "%"])
def test_a_home_of_any_name_keeps_its_models_in_itself(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    wiring = Wiring(read_settings(home))
    assert wiring.objects.put_if_absent("observed/x", b"x")
    assert wiring.videos.count() == (0, 0)
    wiring.engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (home / "models/observed/x").read_bytes() == b"x"
    assert (home / "videos.db").is_file()


def test_the_file_in_use_is_the_homes_else_that_of_the_working_directory(home: Path) -> None:
    assert settings_file(home) is None
    Path("tiercast.toml").write_text("")
    assert settings_file(home) == Path.cwd() / "tiercast.toml"
    (home / "tiercast.toml").write_text("")
    assert settings_file(home) == home / "tiercast.toml"


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("RETRAIN__MOMENTS", "auto", "auto"),
        ("RETRAIN__MOMENTS", '["draft", "observed"]', (Moment.DRAFT, Moment.OBSERVED)),
        ("LABELS__MAX_AGE_DAYS", "unlimited", "unlimited"),
        ("LABELS__MAX_AGE_DAYS", "45.5", 45.5),
        ("TIERS__RELATIVE_TO", "cohort", RelativeTo.COHORT),
    ],
)
def test_a_setting_that_is_a_word_or_a_number_or_a_list_is_read_as_what_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"TIERCAST_{variable}", text)
    assert value_of(home, variable.lower().replace("__", ".")) == value


def test_a_table_where_a_value_belongs_is_told(home: Path) -> None:
    (home / "tiercast.toml").write_text("gate = 5\n")
    with pytest.raises(InvalidInput, match="gate"):
        read_settings(home)


def test_a_file_that_is_no_toml_is_named(home: Path) -> None:
    (home / "tiercast.toml").write_text("retrain = = 5")
    with pytest.raises(InvalidInput, match=r"tiercast\.toml cannot be read"):
        read_settings(home)


@pytest.mark.parametrize(
    ("moment", "unset"),
    [(Moment.OBSERVED, 0.60), (Moment.EARLY, 0.60), (Moment.DRAFT, None)],
    ids=lambda value: f"{value}",
)
def test_the_floor_of_a_moment_is_its_own_else_that_of_all(
    home: Path, monkeypatch: pytest.MonkeyPatch, moment: Moment, unset: float | None
) -> None:
    floor = lambda: read_settings(home).gate.bars(moment).min_accuracy  # noqa: E731
    assert floor() == unset
    (home / "tiercast.toml").write_text("[gate]\nmin_accuracy = 0.3\n")
    assert floor() == 0.3
    (home / "tiercast.toml").write_text(f"[gate]\nmin_accuracy = 0.3\n[gate.{moment}]\nmin_accuracy = 0.4\n")
    assert floor() == 0.4
    monkeypatch.setenv(f"TIERCAST_GATE__{moment.upper()}__MIN_ACCURACY", "0")
    assert floor() == 0


def test_the_floor_of_one_moment_is_not_that_of_another(home: Path) -> None:
    (home / "tiercast.toml").write_text("[gate.draft]\nmin_accuracy = 0.4\n")
    gate = read_settings(home).gate
    assert [gate.bars(moment).min_accuracy for moment in Moment] == [0.4, 0.60, 0.60]


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("LABELS__MAX_AGE_DAYS", "-1", ["labels.max_age_days is '-1'", "greater than 0", "'unlimited'"]),
        ("RETRAIN__MOMENTS", '["dusk"]', ["retrain.moments is ['dusk']", "'auto'", "'draft', 'early' or 'observed'"]),
        ("RETRAIN__MOMENTS", "observed", ["retrain.moments is 'observed'", "'auto'", "a valid tuple"]),
    ],
)
def test_a_setting_that_may_be_two_things_is_called_by_its_name_and_both_are_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: list[str]
) -> None:
    monkeypatch.setenv(f"TIERCAST_{variable}", value)
    said = refusal(home)
    assert f"The setting {told[0]} (environment variable TIERCAST_{variable}): " in said
    assert [words for words in told[1:] if words not in said] == []


def test_settings_cannot_be_changed(home: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings(home).retrain.seed = 1  # type: ignore[misc]


def test_a_secret_is_never_shown(home: Path) -> None:
    (home / "tiercast.toml").write_text('cron_secret = ["hunter2"]\n')
    with pytest.raises(InvalidInput, match=r"The setting cron_secret is \*\*\* \(in .*") as error:
        read_settings(home)
    assert "hunter2" not in str(error.value)
    (home / "tiercast.toml").write_text('cron_secret = "hunter2"\n')
    assert "hunter2" not in repr(read_settings(home))


def test_signals_have_the_names_that_the_settings_give_them(home: Path) -> None:
    (home / "tiercast.toml").write_text("[score.weights]\nlooks = 3\nml = 1\n")
    assert read_settings(home).score.weights == {"looks": 3, "ml": 1}
