"""The schema, one step per version, in words that both databases understand: `sqlite/schema.py` and `postgresql/schema.py` run them.

A database of version N has had the first N steps. To change the schema, append a step; never edit a released one.
"""

from collections.abc import Callable

from watchdog.store.sql import RunsStatements

__all__ = ["OPEN_STATES", "STEPS", "Step"]

Step = Callable[[RunsStatements], None]

OPEN_STATES = "('pending', 'firing', 'recovering')"
"""`core.incidents.lifecycle.OPEN` as SQL. Queries and the partial index must contain literally the same text, or the index is not used."""


def v1_incidents_and_outbox(database: RunsStatements) -> None:
    """Incidents and their transitions, the outbox and its notification log, table memories and samples."""
    _run(database, _V1)


def v2_receivers_off_and_letters_handled(database: RunsStatements) -> None:
    """Receivers that are switched off, dead letters handled by an operator, and receivers to retry at once."""
    _run(database, _V2)


def v3_links(database: RunsStatements) -> None:
    """The link to where an incident is shown."""
    _run(database, _V3)


def v4_silences(database: RunsStatements) -> None:
    """Silences."""
    _run(database, _V4)


def v5_noise_control(database: RunsStatements) -> None:
    """Groups, acknowledgements, deploys, what an incident must remember to be quiet; history, and the last look of each target; digests."""
    _run(database, _V5)


def v6_actions(database: RunsStatements) -> None:
    """The audit log of actions on clusters."""
    _run(database, _V6)


def v7_held_back(database: RunsStatements) -> None:
    """Since when an incident could be told, where something held it back as it fired."""
    _run(database, _V7)


def v8_changes(database: RunsStatements) -> None:
    """Numbers of changes to incidents that matter to other targets, so that only these are read again."""
    _run(database, _V8)


def v9_remedies(database: RunsStatements) -> None:
    """Attempts at remedies, and what incidents say of them."""
    _run(database, _V9)


def v10_posts(database: RunsStatements) -> None:
    """By which handle a receiver can change a message that it posted."""
    _run(database, _V10)


def v11_cycle_numbers(database: RunsStatements) -> None:
    """Numbers of each target's cycles, so that one does not commit on top of another that it knows nothing of."""
    _run(database, _V11)


def v12_lookers(database: RunsStatements) -> None:
    """What those who look beside the daemon say of themselves."""
    _run(database, _V12)


def v13_in_force(database: RunsStatements) -> None:
    """By which configuration others look beside the daemon."""
    _run(database, _V13)


def v14_marks(database: RunsStatements) -> None:
    """Marks of writes, by which a cycle sees which rows are as it has read them."""
    _run(database, _V14)


def _run(database: RunsStatements, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            database.execute(statement)


_V1 = f"""
CREATE TABLE incidents (
    id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, rule TEXT NOT NULL, identity TEXT NOT NULL, target TEXT NOT NULL, key TEXT NOT NULL,
    state TEXT NOT NULL, severity TEXT NOT NULL, started_at REAL NOT NULL, fired_at REAL, resolved_at REAL, ended TEXT,
    held_s REAL NOT NULL, quiet_s REAL NOT NULL, labels TEXT NOT NULL, "values" TEXT NOT NULL, seen_at REAL NOT NULL,
    summary TEXT NOT NULL, description TEXT NOT NULL, runbook TEXT NOT NULL, inhibits TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX incidents_open ON incidents (target) WHERE state IN {OPEN_STATES};
CREATE INDEX incidents_by_fingerprint ON incidents (fingerprint);
CREATE INDEX incidents_by_end ON incidents (resolved_at);
CREATE TABLE transitions (
    number INTEGER PRIMARY KEY, incident TEXT NOT NULL, at REAL NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE INDEX transitions_by_incident ON transitions (incident);
CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL, target TEXT NOT NULL, service TEXT NOT NULL,
    created_at REAL NOT NULL, since REAL NOT NULL, not_before REAL NOT NULL, wait_s REAL NOT NULL, expires_at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'delivered', 'dead')), body BLOB,
    attempts INTEGER NOT NULL DEFAULT 0, may_have_arrived INTEGER NOT NULL DEFAULT 0,
    first_attempt_at REAL, last_attempt_at REAL, last_error TEXT, settings TEXT NOT NULL DEFAULT '', delivered_at REAL
);
CREATE INDEX messages_unfinished ON messages (receiver, number) WHERE state IN ('waiting', 'sending');
CREATE INDEX messages_unsent ON messages (target, number) WHERE state = 'waiting' AND body IS NULL;
CREATE INDEX messages_dead ON messages (receiver, last_attempt_at) WHERE state = 'dead';
CREATE INDEX messages_delivered ON messages (delivered_at) WHERE state = 'delivered';
CREATE TABLE notices (
    message TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE, position INTEGER NOT NULL, incident TEXT NOT NULL,
    event TEXT NOT NULL, severity TEXT NOT NULL, sequence INTEGER NOT NULL, snapshot TEXT NOT NULL,
    PRIMARY KEY (message, position)
) WITHOUT ROWID;
CREATE INDEX notices_by_incident ON notices (incident, message);
CREATE TABLE told (
    incident TEXT NOT NULL, receiver TEXT NOT NULL, event TEXT, severity TEXT NOT NULL, sequence INTEGER NOT NULL,
    at REAL NOT NULL, refused TEXT, settings TEXT NOT NULL, PRIMARY KEY (incident, receiver)
) WITHOUT ROWID;
CREATE INDEX told_unended ON told (incident) WHERE event <> 'resolved';
CREATE TABLE receivers (name TEXT PRIMARY KEY, last_ok_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE cycles (target TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE memories (target TEXT NOT NULL, table_name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (target, table_name)) WITHOUT ROWID;
CREATE TABLE samples (
    target TEXT NOT NULL, at REAL NOT NULL, table_name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (target, at, table_name)
) WITHOUT ROWID;
"""

_V2 = """
ALTER TABLE messages ADD COLUMN handled TEXT CHECK (handled IN ('retried', 'dropped'));
ALTER TABLE messages ADD COLUMN handled_at REAL;
DROP INDEX messages_dead;
CREATE INDEX messages_dead ON messages (receiver, last_attempt_at) WHERE state = 'dead' AND handled IS NULL;
CREATE INDEX messages_handled ON messages (handled_at) WHERE handled IS NOT NULL;
CREATE TABLE switched_off (receiver TEXT PRIMARY KEY, settings TEXT NOT NULL, at REAL NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE retries (receiver TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""

_V3 = "ALTER TABLE incidents ADD COLUMN link TEXT NOT NULL DEFAULT ''"

_V4 = """
CREATE TABLE silences (
    id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_at REAL NOT NULL, ends_at REAL NOT NULL, comment TEXT NOT NULL, author TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX silences_by_end ON silences (ends_at);
"""

_V5 = """
ALTER TABLE incidents ADD COLUMN verdict TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN fires INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN first_fire_at REAL;
ALTER TABLE incidents ADD COLUMN last_fire_at REAL;
CREATE INDEX incidents_by_fire ON incidents (target, fired_at, fingerprint, state) WHERE state = 'resolved';
ALTER TABLE incidents ADD COLUMN trial INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN deploy INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN closed_because TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN server TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN severe_since TEXT NOT NULL DEFAULT '{}';
CREATE INDEX incidents_by_server ON incidents (server, resolved_at) WHERE server <> '';
ALTER TABLE messages ADD COLUMN group_id TEXT NOT NULL DEFAULT '';
ALTER TABLE told ADD COLUMN group_id TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_by_creation ON messages (target, created_at);
CREATE TABLE acknowledgements (
    number INTEGER PRIMARY KEY, incident TEXT NOT NULL, at REAL NOT NULL, until REAL, severity TEXT NOT NULL,
    comment TEXT NOT NULL, author TEXT NOT NULL, why TEXT NOT NULL DEFAULT ''
);
CREATE INDEX acknowledgements_by_incident ON acknowledgements (incident);
CREATE TABLE deploys (
    id TEXT PRIMARY KEY, version TEXT NOT NULL, targets TEXT NOT NULL, starts_at REAL NOT NULL, ends_at REAL NOT NULL, author TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX deploys_by_end ON deploys (ends_at);
CREATE TABLE history (
    target TEXT NOT NULL, folded INTEGER NOT NULL, at REAL NOT NULL, body BLOB NOT NULL, PRIMARY KEY (target, folded, at)
);
CREATE TABLE looks (target TEXT PRIMARY KEY, at REAL NOT NULL, body BLOB NOT NULL);
ALTER TABLE messages ADD COLUMN digest TEXT;
CREATE TABLE digests (receiver TEXT PRIMARY KEY, schedule TEXT NOT NULL, due_at REAL NOT NULL) WITHOUT ROWID;
"""

_V6 = """
CREATE TABLE actions (
    id TEXT PRIMARY KEY, at REAL NOT NULL, author TEXT NOT NULL, host TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    arguments TEXT NOT NULL, workers TEXT NOT NULL, outcome TEXT NOT NULL, text TEXT NOT NULL, ended_at REAL
) WITHOUT ROWID;
CREATE INDEX actions_by_time ON actions (at);
"""

_V7 = """
ALTER TABLE incidents ADD COLUMN held_back INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN let_go_at REAL NOT NULL DEFAULT 0;
"""

_V8 = """
ALTER TABLE incidents ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
CREATE INDEX incidents_by_change ON incidents (change) WHERE change > 0;
CREATE TABLE changes (number INTEGER NOT NULL);
INSERT INTO changes VALUES (0);
"""

_V9 = """
ALTER TABLE incidents ADD COLUMN remedy TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN remedy_news_at REAL;
CREATE TABLE remedies (
    id TEXT PRIMARY KEY, incident TEXT NOT NULL, fingerprint TEXT NOT NULL, target TEXT NOT NULL, rule TEXT NOT NULL, remedy TEXT NOT NULL,
    queue TEXT NOT NULL, workers TEXT NOT NULL, at REAL NOT NULL, number INTEGER NOT NULL, most INTEGER NOT NULL, within_s REAL NOT NULL,
    outcome TEXT NOT NULL, text TEXT NOT NULL, ended_at REAL, helped TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX remedies_by_time ON remedies (at);
CREATE INDEX remedies_unsettled ON remedies (at) WHERE helped = '' OR ended_at IS NULL;
"""

_V10 = "ALTER TABLE messages ADD COLUMN handle TEXT NOT NULL DEFAULT ''"
_V11 = "ALTER TABLE cycles ADD COLUMN number INTEGER NOT NULL DEFAULT 0"
_V12 = "CREATE TABLE lookers (name TEXT PRIMARY KEY, at REAL NOT NULL, body BLOB NOT NULL)"
_V13 = "CREATE TABLE in_force (fingerprint TEXT PRIMARY KEY)"
_V14 = f"""
ALTER TABLE incidents ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
ALTER TABLE told ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
DROP INDEX incidents_open;
CREATE INDEX incidents_open ON incidents (target, id, mark, state) WHERE state IN {OPEN_STATES};
"""

STEPS: tuple[Step, ...] = (
    v1_incidents_and_outbox, v2_receivers_off_and_letters_handled, v3_links, v4_silences, v5_noise_control, v6_actions,
    v7_held_back, v8_changes, v9_remedies, v10_posts, v11_cycle_numbers, v12_lookers, v13_in_force, v14_marks,
)  # fmt: skip
"""All versions, in order. The step names are recorded in the file and must not change."""
