"""Numbered steps that create and change the tables, each in one transaction; a finished step never changes."""

from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from tiercast.core.errors import InvalidInput

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE {schema}videos (
            platform text NOT NULL, video_id text NOT NULL, video_url text, author text, author_verified boolean,
            description text, duration_seconds double precision, hashtags text, sound_id text, sound_name text,
            sound_is_original boolean, is_ad boolean, is_pinned boolean, is_slideshow boolean,
            published_at {time}, published_date_only boolean, described_at {time} NOT NULL,
            PRIMARY KEY (video_id, platform))""",
        "CREATE INDEX videos_newest ON {schema}videos ({newest_first})",
        """CREATE TABLE {schema}observations (
            platform text NOT NULL, video_id text NOT NULL, scraped_at {time} NOT NULL, views bigint, likes bigint,
            shares bigint, comments bigint, saves bigint, author_followers bigint,
            scrape_time_guessed boolean NOT NULL, PRIMARY KEY (video_id, platform, scraped_at))""",
        "CREATE TABLE {schema}files_read (content text PRIMARY KEY, read_at {time} NOT NULL)",
        """CREATE TABLE {schema}erasures (
            erased_at {time} NOT NULL, what text NOT NULL, videos bigint NOT NULL, observations bigint NOT NULL)""",
        """CREATE TABLE {schema}runs (
            run text PRIMARY KEY, moment text NOT NULL, status text NOT NULL, started_at {time} NOT NULL,
            document text NOT NULL)""",
        """CREATE TABLE {schema}leases (
            name text PRIMARY KEY, holder text NOT NULL, token text NOT NULL, expires_at bigint NOT NULL)""",
        """CREATE TABLE {schema}promotions (
            moment text NOT NULL, number bigint NOT NULL, entry {bytes} NOT NULL, PRIMARY KEY (moment, number))""",
        "CREATE TABLE {schema}identity (database_id text PRIMARY KEY)",
        "INSERT INTO {schema}identity VALUES ({uuid})",
    ),
    (
        "ALTER TABLE {schema}videos ADD COLUMN region text",
        "CREATE INDEX videos_of_creator ON {schema}videos {by_creator}",
    ),
    (
        """CREATE TABLE {schema}predictions (
            prediction text PRIMARY KEY, predicted_at {time} NOT NULL, platform text, video_id text NOT NULL,
            author text, moment text NOT NULL, release text NOT NULL, feature_schema text NOT NULL,
            probabilities text NOT NULL, features text NOT NULL, missing text NOT NULL)""",
        "CREATE INDEX predictions_newest ON {schema}predictions (moment, predicted_at)",
        # None by video or author: they come in no order, so each row would change two more pages; only forgetting asks.
        """CREATE TABLE {schema}api_keys (
            name text PRIMARY KEY, digest text NOT NULL UNIQUE, added_at {time} NOT NULL, revoked_at {time})""",
        "ALTER TABLE {schema}leases ADD COLUMN run text NOT NULL DEFAULT ''",
        "ALTER TABLE {schema}leases ADD COLUMN taken_at bigint NOT NULL DEFAULT 0",
        """CREATE TABLE {schema}slots (
            name text NOT NULL, slot {time} NOT NULL, taken_by text NOT NULL, taken_at {time} NOT NULL,
            PRIMARY KEY (name, slot))""",
    ),
)

Words = dict[str, str]
SQLITE: Final[Words] = {
    "schema": "",
    "time": "integer",
    "bytes": "blob",
    "newest_first": "published_at DESC",  # SQLite puts nulls last by itself
    "by_creator": "(author, platform, published_at)",
    "uuid": "lower(hex(randomblob(16)))",
}
POSTGRES: Final[Words] = {
    "schema": "tiercast.",
    "time": "timestamptz",
    "bytes": "bytea",
    "newest_first": "published_at DESC NULLS LAST",
    "by_creator": "USING hash (author)",  # a row of a B-tree holds 2,704 bytes, and nothing bounds an author
    "uuid": "replace(gen_random_uuid()::text, '-', '')",
}
POSTGRES_PREPARE: Final = (
    # IF NOT EXISTS asks for the right to create even where the schema stands, made by somebody else for this role.
    "DO $$ BEGIN IF to_regnamespace('tiercast') IS NULL THEN CREATE SCHEMA tiercast; END IF; END $$",
)
WRITERS_LOCK: Final = 72_74_27
"""Any number that no other program in the database uses; the lock is held until commit, as a pooler needs."""


def migrate(engine: Engine, words: Words, *, prepare: tuple[str, ...] = ()) -> None:
    """Bring the tables to this version's state; a database of a newer version is refused."""
    try:
        with engine.connect() as connection:
            if _version(connection, words) == len(STEPS):
                return
    except SQLAlchemyError:
        pass  # no version table yet; whatever else is wrong, the transaction below says it
    with engine.execution_options(writes=True).begin() as connection:
        for statement in prepare:
            connection.execute(text(statement))
        schema = words["schema"]
        connection.execute(text(f"CREATE TABLE IF NOT EXISTS {schema}migrations (step integer PRIMARY KEY)"))
        done = _version(connection, words)
        if done > len(STEPS):
            raise InvalidInput(
                f"The database is at step {done}, made by a newer tiercast; this version knows {len(STEPS)} steps. "
                "Upgrade tiercast, or point database_url at another database."
            )
        for number, statements in enumerate(STEPS[done:], done + 1):
            for statement in statements:
                connection.execute(text(statement.format(**words)))
            connection.execute(text(f"INSERT INTO {schema}migrations VALUES (:step)"), {"step": number})  # noqa: S608


def _version(connection: Connection, words: Words) -> int:
    found = connection.execute(text(f"SELECT coalesce(max(step), 0) FROM {words['schema']}migrations"))  # noqa: S608
    return int(found.scalar_one())
