-- The tables of a state as version 1 of the schema had them: what `migrations` steps up from.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema_version INTEGER NOT NULL,
    environment TEXT NOT NULL,
    origin TEXT NOT NULL,
    lineage TEXT NOT NULL,
    created_at TEXT NOT NULL,
    serial INTEGER NOT NULL DEFAULT 0,
    releases INTEGER NOT NULL DEFAULT 0,
    claims_version INTEGER NOT NULL DEFAULT 0,
    in_use INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE mailing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign TEXT NOT NULL,
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    UNIQUE (campaign, revision, name)
) STRICT;

CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    command TEXT NOT NULL,
    digest TEXT NOT NULL,
    began_at TEXT NOT NULL,
    ended_at TEXT,
    summary TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES run (id),
    state TEXT NOT NULL CHECK (state IN ('planned', 'intent', 'accepted', 'rejected', 'throttled', 'not_sent',
                                         'unknown', 'abandoned', 'released', 'dissolved')),
    uuid TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    planned_at TEXT NOT NULL,
    intent_at TEXT,
    done_at TEXT,
    http_status INTEGER,
    phase TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    bytes_written INTEGER NOT NULL DEFAULT 0,
    polled_at TEXT,
    final INTEGER NOT NULL DEFAULT 0,
    answer BLOB NOT NULL DEFAULT x'',
    poll_answer BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE UNIQUE INDEX request_by_uuid ON request (uuid) WHERE uuid <> '';
CREATE INDEX request_open ON request (state, id) WHERE state IN ('planned', 'intent', 'unknown');

CREATE TABLE batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id INTEGER NOT NULL REFERENCES request (id),
    position INTEGER NOT NULL,
    mailing_id INTEGER NOT NULL REFERENCES mailing (id),
    count INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0,
    checksum INTEGER NOT NULL,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    schedule_at TEXT,
    definition TEXT NOT NULL,
    tag TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    errors TEXT NOT NULL DEFAULT '[]',
    error_first_at TEXT,
    histogram BLOB NOT NULL,
    phones BLOB NOT NULL,
    fingerprints BLOB NOT NULL,
    statuses BLOB NOT NULL,
    details BLOB NOT NULL DEFAULT x'',
    UNIQUE (request_id, position)
) STRICT;
CREATE INDEX batch_by_mailing ON batch (mailing_id);

CREATE TABLE claim (
    mailing_id INTEGER NOT NULL,
    phone INTEGER NOT NULL,
    batch_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (mailing_id, phone)
) STRICT, WITHOUT ROWID;

CREATE TABLE word (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 255),
    word TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
