"""``tiercast score``."""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tiercast.adapters.contents import decoded, plain_faults
from tiercast.answering import Oracle, forecast
from tiercast.cli.options import DEFAULT_HOME, Debug, Home, open_home
from tiercast.cli.predict import roster_of
from tiercast.core.errors import InvalidInput, TiercastError
from tiercast.flows.predict import nobody_keeps
from tiercast.flows.score import Score, ScoreRequest, score
from tiercast.render.output import print_json
from tiercast.render.score import show_scores
from tiercast.wiring import Wiring

STDIN = "-"

app = typer.Typer(add_completion=False)


@app.command(name="score")
def command(
    source: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="JSON with signals, moment, video; or one a line. - is stdin.")
    ] = STDIN,
    home: Home = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a score on standard output.")] = False,
    debug: Debug = False,
) -> None:
    """Weigh several signals into one score of 0 to 100; the signal ml is the champion's prediction of a video."""
    wiring = open_home(home)
    weights, oracle = wiring.settings.score.weights, _oracle(wiring)
    scores = [_scored(where, document, weights, oracle) for where, document in _documents(source)]
    if as_json:
        for each in scores:
            print_json(each.to_document())
    else:
        show_scores(scores)


def _documents(name: str) -> Iterator[tuple[str, object]]:
    """Every document with the words for where it stands; raises InvalidInput where one is no JSON."""
    label = "standard input" if name == STDIN else name
    with plain_faults(label):
        raw = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    text = decoded(raw, label).removeprefix("\ufeff")
    numbered = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not numbered:
        raise InvalidInput(f'{label} is empty; write {{"signals": {{"NAME": POINTS, ...}}}}, or one such a line.')
    try:
        yield "", json.loads(text)
        return
    except RecursionError:
        _no_json(label, "it is nested too deeply")
    except ValueError as error:
        if len(numbered) == 1 or not _is_object(numbered[0][1]):
            _no_json(label, str(error))
    for number, line in numbered:
        try:
            yield f"Line {number} of {label}: ", json.loads(line)
        except (ValueError, RecursionError) as error:
            _no_json(f"Line {number} of {label}", str(error))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _no_json(label: str, why: str) -> NoReturn:
    raise InvalidInput(f"{label} is no JSON ({why}). A score takes one JSON document, or one a line.")


def _scored(where: str, document: object, weights: Mapping[str, float], oracle: Oracle) -> Score:
    try:
        asked = ScoreRequest.of(document, weights)
        return score(weights, asked, forecast(oracle, asked))
    except TiercastError as error:
        raise type(error)(f"{where}{error}") from error


def _oracle(wiring: Wiring) -> Oracle:
    """Predicts one video after the other; champions are loaded for the first that needs them."""
    roster = cache(partial(roster_of, wiring))
    hours = wiring.settings.moments.early_max_age_hours
    return Oracle(lambda moment: roster(moment).answering(moment), lambda: wiring.history, hours, nobody_keeps)
