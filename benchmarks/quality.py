"""How good forecasts are on real videos: ``make quality``.

Each line is a dry run of the program itself on a fresh home. The anchor protocol is a settings file in ``anchor/``,
read by the same flow as everybody's; the product's own definition, all settings at their defaults but ``max_videos``,
stands beside it. Sets are read from ``../shared/data``, whose results go into docs/forecasts.md, or from the folder
named; a set is a pair of files ``NAME.parquet`` and ``NAME_observations.parquet``.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from run import DATA, line, tiercast

ANCHOR = Path(__file__).resolve().parent / "anchor"
REACH: Mapping[tuple[str, str], str] = {
    ("tiktok_feed_2025", "draft"): ">= .580 / <= 1.000 / >= .790",
    ("tiktok_politicians_2026", "draft"): ">= .480 / <= 1.160 / >= .735",
    ("tiktok_feed_2025", "early"): ">= .725 / <= .700 / >= .900",
    ("tiktok_politicians_2026", "early"): ">= .832 / <= .500 / >= .944",
    ("tiktok_feed_2025", "observed"): ">= .452 / <= 1.240 / >= .62",
}
PAGE = Path(__file__).resolve().parents[1] / "docs" / "forecasts.md"
BLOCK = re.compile(r"(<!-- quality -->\n).*?(<!-- end -->)", re.DOTALL)
EVERYTHING = {"TIERCAST_RETRAIN__MAX_VIDEOS": "1000000"}


def main() -> None:
    """Print every set, moment and protocol."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    sets = sorted(path.stem for path in folder.glob("*.parquet") if not path.stem.endswith("_observations"))
    if not sets:
        raise SystemExit(f"No NAME.parquet in {folder}. Name a folder with real sets.")
    print("accuracy / log loss / quadratic weighted kappa on the newest fifth, by time\n")
    table = ["| set, moment, protocol | rows | candidate | best rival | gate |", "|---|---|---|---|---|"]
    for name in sets:
        with tempfile.TemporaryDirectory(prefix="tiercast-quality-") as place:
            table += [_row(what, run) for what, run in _set(name, folder, Path(place))]
    if folder == DATA:
        page, written = PAGE.read_text(encoding="utf-8"), "\n".join(table) + "\n"
        PAGE.write_text(BLOCK.sub(lambda found: found[1] + written + found[2], page), encoding="utf-8")


def _row(what: str, run: Mapping[str, Any]) -> str:
    """One line of the page's table."""
    if not run["metrics"]:
        return f"| {what} | {run['labels']['labelled']:,} | too few | | {run['status']} |"
    rivals = {name: rival for name, rival in run["rivals"].items() if rival}
    best = min(rivals, key=lambda name: rivals[name]["log_loss"]["value"])
    return (
        f"| {what} | {run['videos']:,} | {_three(run['metrics'])} | {best}: {_three(rivals[best])} | {run['status']} |"
    )


def _set(name: str, folder: Path, place: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    once, again = place / "once", place / "again"
    for moment, home, files in (
        ("draft", once, [folder / f"{name}.parquet"]),
        ("early", again, [folder / f"{name}.parquet", folder / f"{name}_observations.parquet"]),
    ):
        tiercast("ingest", *map(str, filter(Path.exists, files)), home=home, accept=(0, 1))
        settings = (ANCHOR / f"{moment}.toml").read_text(encoding="utf-8")
        run = _run(moment, home, settings)
        _show(f"{name}, {moment}, anchor", run, REACH.get((name, moment), ""))
        yield f"{name}, {moment}, anchor", run
    for moment, home in (("draft", once), ("draft", again), ("early", again)):
        scraped = "scraped once" if home == once else "every scrape"
        run = _run(moment, home, "", **EVERYTHING)
        _show(f"{name}, {moment}, as shipped, {scraped}", run, "")
        yield f"{name}, {moment}, as shipped, {scraped}", run
    for days in ("10", "unlimited"):
        env = {**EVERYTHING, "TIERCAST_LABELS__MAX_AGE_DAYS": days}
        run = _run("draft", again, "", **env)
        _show(f"{name}, draft, every scrape, labels of at most {days} days", run, "")
        yield f"{name}, draft, every scrape, max_age_days {days}", run
    settings = (ANCHOR / "observed.toml").read_text(encoding="utf-8")
    run = _run("observed", once, settings)
    _show(f"{name}, observed", run, REACH.get((name, "observed"), ""))
    yield f"{name}, observed", run
    print()


def _run(moment: str, home: Path, settings: str, **env: str) -> dict[str, Any]:
    (home / "tiercast.toml").write_text(settings, encoding="utf-8")
    ended = tiercast("retrain", "--moment", moment, "--dry-run", "--json", home=home, env=env, accept=(0, 1, 3))
    return json.loads(ended.output)  # type: ignore[no-any-return]


def _show(what: str, run: Mapping[str, Any], reach: str) -> None:
    labels = run["labels"]
    if not run["metrics"]:
        line(f"{what}: {run['status']}", f"{labels['labelled'] if labels else run['videos']:,} rows", reach)
        print(f"    {run['reason']}")
        return
    line(f"{what}: {run['status']}, {run['videos']:,} rows", _three(run["metrics"]), reach)
    for words in _details(run):
        print(f"    {words}")


def _three(metrics: Mapping[str, Any]) -> str:
    accuracy, loss, kappa = (
        metrics[name]["value"] for name in ("accuracy", "log_loss", "quadratic_weighted_kappa")
    )  # fmt: skip
    return f"{accuracy:.3f} / {loss:.3f} / {kappa or 0:.3f}"


def _details(run: Mapping[str, Any]) -> Iterator[str]:
    metrics = run["metrics"]
    low, high = metrics["accuracy"]["interval"] or (float("nan"),) * 2
    yield (
        f"accuracy {low:.3f} to {high:.3f}; within one {metrics['within_one']['value']:.3f}, calibration error "
        f"{metrics['expected_calibration_error']['value'] or 0:.3f} (by chance "
        f"{metrics['calibration_error_by_chance']['value'] or 0:.3f}), interval coverage "
        f"{metrics['interval_coverage']['value'] or float('nan'):.3f}"
    )
    rivals = {name: rival for name, rival in run["rivals"].items() if rival}
    yield "rivals: " + "; ".join(f"{name} {_three(rival)}" for name, rival in rivals.items())
    if run["confident"]:
        confident = run["confident"]
        yield f"confident: {confident['coverage']:.1%} of the rows, {confident['accuracy']['value']:.1%} of them right"
    if run["embargoed"]:
        days, metrics = run["embargoed"]["days"], run["embargoed"]["metrics"]
        yield f"nothing known of posts younger than {days} days: {_three(metrics)}"
    if run["labels"]:
        labels = run["labels"]
        ages = "; ".join(
            f"{side} {low:.0f}, {mid:.0f}, {high:.0f}" for side, (low, mid, high) in labels["age_days"].items()
        )
        yield (
            f"{', '.join(run['marks']) or 'no marks'}; training rows: strict {labels['training_rows_strict']:,}, "
            f"as scraped {labels['training_rows_as_scraped']:,}; label age (days at 10, 50, 90 %): {ages}"
        )
    chosen = next(line for line in run["candidates"] if line["chosen"])
    tried = sum(line["seconds"] for line in run["candidates"] if line["name"] != "average")
    yield (
        f"chosen {chosen['name']} {chosen['settings']}; candidates {tried:.1f} s of work, "
        f"{run['seconds']['train']:.1f} s of waiting; whole run {run['seconds']['total']:.1f} s"
    )


if __name__ == "__main__":
    main()
