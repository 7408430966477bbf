-- The tables of a state as version 2 of the schema had them: what `migrations` steps up from.
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
    in_use INTEGER NOT NULL DEFAULT 0,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE mailing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign TEXT NOT NULL,
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    claims INTEGER NOT NULL DEFAULT 0,
    claims_sum INTEGER NOT NULL DEFAULT 0,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (campaign, revision, name)
) STRICT;

CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    command TEXT NOT NULL,
    digest TEXT NOT NULL,
    began_at TEXT NOT NULL,
    ended_at TEXT,
    summary TEXT NOT NULL DEFAULT '',
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Its reference is 'r' and its id; AUTOINCREMENT so that what was forgotten never lends its name to another.
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
    checksum INTEGER NOT NULL DEFAULT 0,
    answer BLOB NOT NULL DEFAULT x'',
    poll_answer BLOB NOT NULL DEFAULT x'',
    callback BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE UNIQUE INDEX request_by_uuid ON request (uuid) WHERE uuid <> '';
CREATE INDEX request_open ON request (state, id) WHERE state IN ('planned', 'intent', 'unknown');

-- The wide columns come last: what reads only the narrow ones never touches their pages.
CREATE TABLE batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id INTEGER NOT NULL REFERENCES request (id),
    position INTEGER NOT NULL,
    mailing_id INTEGER NOT NULL REFERENCES mailing (id),
    count INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0,
    checksum INTEGER NOT NULL DEFAULT 0,
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

-- At most once: this primary key is the law. No foreign key to batch: it would search the parent for each of a million
-- rows, and all claims whenever a batch goes; `problems` compares the two instead.
CREATE TABLE claim (
    mailing_id INTEGER NOT NULL,
    phone INTEGER NOT NULL,
    batch_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (mailing_id, phone)
) STRICT, WITHOUT ROWID;

CREATE TABLE word (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 255),
    word TEXT NOT NULL UNIQUE,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    chain BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX request_by_callback ON request (callback) WHERE callback <> x'';

-- What the provider posted, as it came: hints, believed by nobody.
CREATE TABLE callback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id INTEGER NOT NULL REFERENCES request (id),
    body_hash BLOB NOT NULL,
    at TEXT NOT NULL,
    handled INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL,
    UNIQUE (request_id, body_hash)
) STRICT;
CREATE INDEX callback_open ON callback (request_id) WHERE NOT handled;

-- The uuids that hints named, and what asking the provider about them showed: nothing is asked for ever.
CREATE TABLE verification (
    request_id INTEGER NOT NULL REFERENCES request (id),
    uuid TEXT NOT NULL,
    finding TEXT NOT NULL CHECK (finding IN ('verified', 'foreign', 'not_shown')),
    tries INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (request_id, uuid)
) STRICT, WITHOUT ROWID;
