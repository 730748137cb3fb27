"""Which promotion log is safe for this store, chosen once and recorded beside the models."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from tiercast.adapters.promotion_logs import ObjectLog, SqlLog
from tiercast.core.canonical import canonical_json, sha256_hex
from tiercast.core.errors import InvalidInput, Missing, Unavailable
from tiercast.core.moments import Moment
from tiercast.ports.models import ObjectStore, PromotionLog

RECORD_KEY: Final = "promotion-log.json"
PROBE_KEY: Final = "probe.json"
CLAIMS: Final = "promotion-log-claims"


@dataclass(frozen=True, slots=True)
class _Choice:
    """A log by name, and the database where it is one."""

    log: str
    database: str | None = None

    def __str__(self) -> str:
        return "objects in the store" if self.log == "objects" else f"rows in Postgres database {self.database}"

    def to_bytes(self) -> bytes:
        document = {"log": self.log}
        return canonical_json(document if self.database is None else {**document, "database": self.database})


_OBJECTS: Final = _Choice("objects")


def probe(objects: ObjectStore) -> bool:
    """Whether the store honours put-if-absent: of two puts of one fixed key, the second has to be refused."""
    content = canonical_json({"purpose": "shows that this store refuses to write over an object"})
    objects.put_if_absent(PROBE_KEY, content)
    return not objects.put_if_absent(PROBE_KEY, content)


def choose_log(objects: ObjectStore, sql_log: SqlLog | None, database_id: str | None) -> PromotionLog:
    """The log a promoter has to use; the first one to ask records it.

    Raises Unavailable where no log is safe, InvalidInput where this process would use another than the recorded one.
    """
    own = _Choice("postgres", database_id) if sql_log else None
    recorded = _recorded(objects)
    if recorded is None:
        recorded = _record(objects, _safe(objects, own))
    elif recorded == _OBJECTS and not probe(objects):
        raise InvalidInput(
            f"This store records its promotion log as {recorded}, but as this process reaches it, it does not honour "
            f"put-if-absent, so {own or 'no log'} would be used instead. Two logs would name two champions. "
            "Use the address and endpoint that the first promoter used."
        )
    return _opened(objects, recorded, own=own, sql_log=sql_log)


def recorded_log(objects: ObjectStore, sql_log: SqlLog | None, database_id: str | None) -> PromotionLog | None:
    """The log a reader has to use; None where nothing was ever promoted. Writes nothing.

    Raises InvalidInput where the recorded log is in a database that this process is not configured for, or where the
    record is gone.
    """
    own = _Choice("postgres", database_id) if sql_log else None
    recorded = _recorded(objects)
    return _opened(objects, recorded, own=own, sql_log=sql_log) if recorded else None


def is_in_database(objects: ObjectStore) -> bool:
    """Whether the recorded log is in a database, so that a reader has to open one."""
    recorded = _recorded(objects)
    return recorded is not None and recorded != _OBJECTS


def _safe(objects: ObjectStore, own: _Choice | None) -> _Choice:
    if probe(objects):
        return _OBJECTS
    if own is None:
        raise Unavailable(
            "The model store does not honour put-if-absent (a second write of one key was accepted), so two promoters "
            "could both win, and no Postgres is configured to hold the promotion log instead. Nothing was promoted. "
            "Either use a store with put-if-absent (a folder, AWS S3, MinIO, R2, GCS, Azure), or set database_url to "
            "a Postgres database."
        )
    return own


def _record(objects: ObjectStore, choice: _Choice) -> _Choice:
    """Record the choice, unless another promoter has just recorded one; what stands in the store afterwards.

    Put-if-absent cannot settle this: who chooses Postgres does so because the store lacks it. So each promoter first
    puts a claim of its own, then looks for others', then for the record. Of two with different choices the later to
    look sees the other's claim or, where that is gone again, its record. Raises Unavailable where it is a claim.
    """
    kind = f"{CLAIMS}/{sha256_hex(choice.to_bytes())[:16]}-"
    claim = f"{kind}{uuid4().hex}.json"
    objects.put_if_absent(claim, choice.to_bytes())
    rival = next((key for key in objects.list(CLAIMS) if not key.startswith(kind)), None)
    if rival is not None:
        objects.delete(claim)
        raise Unavailable(
            f"Another promoter is about to record another promotion log than {choice} for this store, so nothing was "
            f"promoted. Run it again; if nobody else is at work here, remove the object {rival} first."
        )
    if _recorded(objects) is None:
        objects.put_if_absent(RECORD_KEY, choice.to_bytes())
    with suppress(Unavailable):  # whoever may not delete leaves a claim that agrees with the record
        objects.delete(claim)
    return _recorded(objects) or choice


def _recorded(objects: ObjectStore) -> _Choice | None:
    try:
        content = objects.get(RECORD_KEY)
    except Missing:
        _refuse_orphans(objects)
        return None
    try:
        choice = _Choice(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise InvalidInput(_unreadable(content)) from error
    if choice != _OBJECTS and (choice.log != "postgres" or not isinstance(choice.database, str)):
        raise InvalidInput(_unreadable(content))
    return choice


def _refuse_orphans(objects: ObjectStore) -> None:
    """Raise InvalidInput where there is no record but promotions: taken for a new store, it would get a second log."""
    for moment in Moment:
        promotions = objects.list(f"{moment}/promotions")
        if promotions:
            raise InvalidInput(
                f"{RECORD_KEY} is missing from the model store, yet it holds {len(promotions)} promotions of {moment}. "
                f"Put the object back, with the content {_OBJECTS.to_bytes().decode()}, then try again."
            )


def _unreadable(content: bytes) -> str:
    return (
        f"{RECORD_KEY} in the model store says {content[:80]!r}, which names no promotion log. Restore it to "
        '{"log":"objects"} or {"log":"postgres","database":"..."}, whichever was in use.'
    )


def _opened(objects: ObjectStore, recorded: _Choice, *, own: _Choice | None, sql_log: SqlLog | None) -> PromotionLog:
    if recorded == _OBJECTS:
        return ObjectLog(objects)
    if sql_log is None or own != recorded:
        raise InvalidInput(
            f"This store records its promotion log as {recorded}; this process is configured for "
            f"{own or 'no Postgres database'}. Two logs would name two champions. Set database_url to the recorded one."
        )
    return sql_log
