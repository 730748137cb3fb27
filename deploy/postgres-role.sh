#!/bin/sh
# Runs once, when the database is made: a role that owns its schema and nothing else.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set role_password="$TIERCAST_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE tiercast LOGIN PASSWORD :'role_password';
CREATE SCHEMA tiercast AUTHORIZATION tiercast;
SQL
