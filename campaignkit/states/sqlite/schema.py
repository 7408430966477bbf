"""The tables of a state, as SQL, and the steps from an older shape to this one."""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 3
OLDEST_SQLITE: Final = (3, 38, 0)
"""JSON is built in since then; STRICT tables, upserts and RETURNING are older."""

PAGE_SIZE: Final = 16_384
"""A batch of 100 is a row of 2.5 to 4 kB: pages of 4096 hold one and waste a third, these hold five. Commits cost the same."""


_FIRST_TABLES: Final = """
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
"""

REQUEST: Final = """
-- Its reference is 'r' and its id, AUTOINCREMENT so that what was forgotten never lends its name to another. `uuid` is the
-- provider's id of it, `step` says which of the two calls of a list mailing the attempts are of.
CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES run (id),
    method TEXT NOT NULL DEFAULT 'bulk' CHECK (method IN ('bulk', 'quick', 'list')),
    step TEXT NOT NULL DEFAULT '' CHECK (step IN ('', 'create', 'confirm')),
    state TEXT NOT NULL CHECK (state IN ('planned', 'intent', 'draft', 'accepted', 'rejected', 'throttled', 'not_sent',
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
"""
REQUEST_INDEXES: Final = """
CREATE UNIQUE INDEX request_by_uuid ON request (method, uuid) WHERE uuid <> '';
CREATE INDEX request_open ON request (state, id) WHERE state IN ('planned', 'intent', 'draft', 'unknown');
CREATE UNIQUE INDEX request_by_callback ON request (callback) WHERE callback <> x'';
"""

_MORE_TABLES: Final = """
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
"""

CALLBACKS: Final = """
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
"""

METHODS: Final = """
-- A mailing to a list of the provider: whom it went to is known from the provider alone, afterwards. Its one claim is of phone 0.
CREATE TABLE listing (
    id INTEGER PRIMARY KEY REFERENCES request (id),
    subscribers INTEGER,
    draft_word TEXT NOT NULL DEFAULT '',
    cost TEXT NOT NULL DEFAULT '',
    checksum INTEGER NOT NULL DEFAULT 0,
    phones BLOB NOT NULL DEFAULT x'',
    statuses BLOB NOT NULL DEFAULT x'',
    details BLOB NOT NULL DEFAULT x''
) STRICT;

-- Replies, by the provider's id of each, marked as read at the provider only once they stand here.
CREATE TABLE incoming (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider_id TEXT NOT NULL UNIQUE,
    message_id TEXT NOT NULL,
    request_id INTEGER,
    phone INTEGER,
    text TEXT NOT NULL,
    received TEXT NOT NULL,
    pulled_at TEXT NOT NULL,
    acked_at TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX incoming_by_message ON incoming (message_id);

-- The provider's ids of the mailings of bulk requests, by which it is asked for replies: its statuses name them.
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (request_id, message_id)
) STRICT;

-- Who wants nothing more (the id is the phone). `reply` is the incoming message that said so, if one did.
CREATE TABLE optout (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    reason TEXT NOT NULL,
    reply INTEGER,
    by TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Messages to the team's own phones: never deliveries, but money all the same.
CREATE TABLE test_send (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign TEXT NOT NULL,
    mailing TEXT NOT NULL,
    phone INTEGER NOT NULL,
    rendered_for INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intent', 'accepted', 'rejected', 'throttled', 'not_sent', 'unknown')),
    message_id TEXT NOT NULL DEFAULT '',
    at TEXT NOT NULL,
    done_at TEXT,
    http_status INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    answer BLOB NOT NULL DEFAULT x'',
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
"""

TABLES: Final = _FIRST_TABLES + REQUEST + REQUEST_INDEXES + _MORE_TABLES + CALLBACKS + METHODS
