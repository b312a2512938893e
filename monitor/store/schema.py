"""The tables, and how an older database becomes a newer one.

Times are whole seconds since 1970 (UTC), ids are integers, digests of bodies
are 32 raw bytes. A version costs about 80 bytes with its index: what is the
same for many rows (source, address, time, digest of the answer) stands once,
in the `sighting` that brought them.

`PRAGMA user_version` is the number of the last migration, so that a reader
can tell without sqlite-utils whether it understands the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

FIRST = """
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A provider with its settings: "that GitLab over there".
CREATE TABLE source (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    added    INTEGER NOT NULL,
    priority  INTEGER NOT NULL DEFAULT 0,
    exclusive INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What we ask a source as a whole: its feed, its index.
CREATE TABLE question (
    source    INTEGER NOT NULL REFERENCES source,
    mechanism TEXT NOT NULL,          -- 'feed' or 'index'
    cursor    TEXT,                   -- the upstream's own: a serial, a sequence
    window    TEXT,                   -- fingerprints of what the last look showed
    baseline  INTEGER,                -- when the first look was recorded
    due       INTEGER NOT NULL,
    leased    INTEGER,                -- since when it is asked; `due` is the end of the lease
    asked     INTEGER,                -- last visit, whatever came of it
    answered  INTEGER,                -- last visit that ended ok or unchanged
    changed   INTEGER,                -- last visit that brought something new
    moved     INTEGER,                -- last visit that showed something else than the one before
    behind    INTEGER,                -- since when a project has a release that this does not show
    stalled   INTEGER,                -- since when that is told
    outcome   TEXT,
    error     TEXT,
    remedy    TEXT,
    fails     INTEGER NOT NULL DEFAULT 0,
    gap       INTEGER,                -- since when the feed waits for the index to repair it
    doubt     TEXT,                   -- what was not believed, until a second answer says it again
    PRIMARY KEY (source, mechanism)
) STRICT, WITHOUT ROWID;

-- What an address said of itself, sent back word for word.
CREATE TABLE address (
    id            INTEGER PRIMARY KEY,
    source        INTEGER NOT NULL REFERENCES source,
    url           TEXT NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    digest        BLOB,               -- sha256 of the body
    identity      TEXT NOT NULL,      -- representation and credential that the above were got with
    leader        TEXT NOT NULL,      -- the address that the walk began with
    checked       INTEGER NOT NULL,
    whole         INTEGER NOT NULL,   -- last time that its body came
    changed       INTEGER NOT NULL,   -- last time that its body was another one
    moved         TEXT,               -- where a permanent redirect has led
    moved_since   INTEGER,
    UNIQUE (source, url)
) STRICT;
CREATE INDEX address_leader ON address (source, leader) WHERE leader <> url;

-- An answer that brought something new: what every version and event rests on.
CREATE TABLE sighting (
    id        INTEGER PRIMARY KEY,
    source    INTEGER NOT NULL REFERENCES source,
    mechanism TEXT NOT NULL,
    url       TEXT NOT NULL,
    at        INTEGER NOT NULL,
    digest    BLOB,
    validator TEXT
) STRICT;

CREATE TABLE project (
    id     INTEGER PRIMARY KEY,
    purl   TEXT NOT NULL UNIQUE,
    newest INTEGER,                   -- versions, as judged at the last change; NULL: not judged
    stable INTEGER
) STRICT;

-- A project at a source.
CREATE TABLE listing (
    source   INTEGER NOT NULL REFERENCES source,
    project  INTEGER NOT NULL REFERENCES project,
    name     TEXT NOT NULL,           -- as this upstream spells it
    revision TEXT,                    -- moves when the project does
    added    INTEGER NOT NULL,
    baseline INTEGER,                 -- first complete look at its versions
    due      INTEGER,                 -- NULL: not asked by itself
    eager    INTEGER NOT NULL DEFAULT 0,  -- 1: watched, and asked before those that are not
    leased   INTEGER,                 -- since when it is asked; `due` is the end of the lease
    asked    INTEGER,
    answered INTEGER,
    changed  INTEGER,
    outcome  TEXT,
    error    TEXT,
    remedy   TEXT,
    fails    INTEGER NOT NULL DEFAULT 0,
    doubt    TEXT,
    gone     INTEGER,                 -- since when the upstream says that it is gone
    denied   INTEGER NOT NULL DEFAULT 0,  -- how often it has said so since
    lost     INTEGER,                 -- when we believed it
    ignored  TEXT,                    -- what stands among its versions and is none: how many, some
    PRIMARY KEY (source, project)
) STRICT, WITHOUT ROWID;
CREATE INDEX listing_due ON listing (source, eager, due) WHERE due IS NOT NULL;
CREATE INDEX listing_project ON listing (project);

-- What somebody wants to be told of, with the settings that go with it.
CREATE TABLE watch (
    project  INTEGER PRIMARY KEY REFERENCES project,
    added    INTEGER NOT NULL,
    name     TEXT,                    -- what its owner calls it
    current  TEXT,                    -- the version that is shipped
    owner    TEXT,
    rules    TEXT NOT NULL DEFAULT '{}',
    acked    INTEGER,                 -- version that its owner has seen
    origin   TEXT NOT NULL DEFAULT 'command'   -- or 'packages.toml'
) STRICT;

-- The packages of packages.toml that share one project, each with its own rules; `watch` says what
-- they have in common. A project that one package is made of has no row here.
CREATE TABLE package (
    project INTEGER NOT NULL REFERENCES project,
    name    TEXT NOT NULL,
    current TEXT,
    owner   TEXT,
    rules   TEXT NOT NULL,
    PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE version (
    id        INTEGER PRIMARY KEY,
    project   INTEGER NOT NULL REFERENCES project,
    version   TEXT NOT NULL,          -- as published
    sort_key  BLOB NOT NULL,
    state     INTEGER NOT NULL,       -- position in monitor.store.states
    stable    INTEGER,                -- as judged; NULL: not judged yet
    published INTEGER,
    seen      INTEGER NOT NULL REFERENCES sighting,
    flag      INTEGER,                -- the upstream itself calls it a pre-release
    revision  TEXT,                   -- object id of a tag
    tag       TEXT,                   -- raw spelling, where it differs from the version
    alias     INTEGER,                -- another spelling of that version
    UNIQUE (project, version)
) STRICT;

-- What each source says of a version, for projects that several sources show: it is not gone
-- while one of them has it, and the most cautious of them is believed.
CREATE TABLE also (
    version INTEGER NOT NULL REFERENCES version,
    source  INTEGER NOT NULL REFERENCES source,
    state   INTEGER,                  -- NULL: shows it, and says no more
    PRIMARY KEY (version, source)
) STRICT, WITHOUT ROWID;

-- Only for projects that are watched or built.
CREATE TABLE file (
    id        INTEGER PRIMARY KEY,
    version   INTEGER NOT NULL REFERENCES version,
    url       TEXT NOT NULL,
    name      TEXT,
    kind      TEXT,
    provenance TEXT,                  -- address of its attestation, '' where it has none
    digest    TEXT,
    other     TEXT,                   -- the digest that it was given later: its bytes changed
    content   TEXT,                   -- digest of its tree, where a forge packs it anew for each
    size      INTEGER,
    published INTEGER,
    yanked    INTEGER NOT NULL DEFAULT 0,
    added     INTEGER NOT NULL,
    tried     INTEGER,                -- when we read it to find its digest
    UNIQUE (version, url)
) STRICT;

-- What a release says of itself (`monitor.model.About`). Asked once, of what is watched or built.
CREATE TABLE trait (
    version INTEGER NOT NULL REFERENCES version,
    source  INTEGER NOT NULL REFERENCES source,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    before  TEXT,                     -- what the release before it said, where that is not the same
    at      INTEGER NOT NULL,
    PRIMARY KEY (version, source, name)
) STRICT, WITHOUT ROWID;

-- Releases whose traits are still to be asked, in this order.
CREATE TABLE inquiry (
    id      INTEGER PRIMARY KEY,
    version INTEGER NOT NULL UNIQUE REFERENCES version,
    project INTEGER NOT NULL REFERENCES project,
    source  INTEGER NOT NULL REFERENCES source,
    quiet   INTEGER NOT NULL,         -- only to compare others with it: nothing is told of it
    added   INTEGER NOT NULL,
    due     INTEGER NOT NULL,
    ready   INTEGER NOT NULL,         -- end of its cool-down: nothing waits longer for an answer
    fails   INTEGER NOT NULL DEFAULT 0,
    error   TEXT
) STRICT;
CREATE INDEX inquiry_due ON inquiry (due);
CREATE INDEX inquiry_first ON inquiry (project) WHERE quiet;

-- The spine: numbered in commit order, never altered.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    project INTEGER REFERENCES project,
    version INTEGER REFERENCES version,
    source  INTEGER REFERENCES source,
    payload TEXT NOT NULL
) STRICT;
CREATE INDEX event_project ON event (project) WHERE project IS NOT NULL;
CREATE TRIGGER event_is_never_altered BEFORE UPDATE ON event
BEGIN SELECT raise(ABORT, 'events are never altered'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN SELECT raise(ABORT, 'events are never removed'); END;

-- How far each output has read the log.
CREATE TABLE bookmark (
    output TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every decision of the policy, with the rule that made it.
CREATE TABLE decision (
    id      INTEGER PRIMARY KEY,
    version INTEGER NOT NULL REFERENCES version,
    at      INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    rule    TEXT NOT NULL,
    reason  TEXT NOT NULL
) STRICT;
CREATE INDEX decision_version ON decision (version);

CREATE TABLE job (
    id       INTEGER PRIMARY KEY,
    version  INTEGER NOT NULL REFERENCES version,
    rule     TEXT NOT NULL,           -- the entry of builds.toml that asked for it
    state    TEXT NOT NULL,           -- see monitor.store.jobs
    priority INTEGER NOT NULL DEFAULT 0,
    added    INTEGER NOT NULL,
    look_at  INTEGER,                 -- waiting: when to decide again
    name     TEXT UNIQUE,             -- of the recipe; NULL until it is written
    recipe   TEXT,
    digest   TEXT,                    -- of the recipe
    written  INTEGER,                 -- when the recipe's content was made
    marked   INTEGER,
    free_at  INTEGER NOT NULL,        -- pause before another attempt, or end of the lease
    worker   TEXT,
    fence    INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    failure  TEXT,                    -- class of the last failure
    result   TEXT,
    UNIQUE (version, rule)
) STRICT;
CREATE INDEX job_free ON job (priority DESC, id) WHERE state IN ('ready', 'taken');
CREATE INDEX job_waiting ON job (look_at) WHERE state IN ('waiting', 'held');
CREATE INDEX job_failed ON job (failure) WHERE state = 'failed';

-- A person's word: this version or project waits.
CREATE TABLE hold (
    project INTEGER NOT NULL REFERENCES project,
    version TEXT NOT NULL DEFAULT '',  -- '' holds all of them
    at      INTEGER NOT NULL,
    who     TEXT NOT NULL,
    why     TEXT NOT NULL,
    PRIMARY KEY (project, version)
) STRICT, WITHOUT ROWID;

-- What only a person can decide, and what was answered; see monitor.store.proposals.
CREATE TABLE proposal (
    id       INTEGER PRIMARY KEY,
    project  INTEGER NOT NULL REFERENCES project,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    source   INTEGER NOT NULL REFERENCES source,
    reason   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    answer   INTEGER,                 -- 1 accepted, 0 declined; NULL: nobody has said
    who      TEXT,
    answered INTEGER,
    UNIQUE (project, kind, subject)
) STRICT;

-- Entries that could not be read, kept to be looked at.
CREATE TABLE dead (
    id     INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source,
    raw    TEXT NOT NULL,
    reason TEXT NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    times  INTEGER NOT NULL DEFAULT 1,
    UNIQUE (source, raw)
) STRICT;

-- A host that asked us to stay away, until when. Outlives a restart.
CREATE TABLE pause (
    host    TEXT PRIMARY KEY,
    until   INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    why     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

NEWEST = 1
"""The number of the last migration that this program knows."""


def migrations() -> Migrations:
    """All migrations in order; each runs in a transaction of its own."""
    from sqlite_utils.migrations import Migrations

    steps = Migrations("monitor")

    @steps(name="0001_first")
    def first(db: Database) -> None:
        _run(db, FIRST)
        db.execute("PRAGMA user_version = 1")

    return steps


def _run(db: Database, script: str) -> None:
    """Run a script statement by statement: `executescript` would end the transaction."""
    import sqlite3

    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
