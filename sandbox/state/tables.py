"""The tables of the sandbox's database.

Permissions and attributes are kept as JSON in their account's row: they are only ever replaced
and shown whole.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS app (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,                -- JSON: the fields as they were when the app was made
    overrides TEXT NOT NULL DEFAULT '{}'  -- JSON: the fields changed since
);
CREATE VIEW IF NOT EXISTS current_app AS
    SELECT seq, id, json_patch(created, overrides) AS fields,
        json_extract(json_patch(created, overrides), '$.name') AS name
    FROM app;

CREATE TABLE IF NOT EXISTS account (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    app_id TEXT NOT NULL,
    unique_identifier TEXT NOT NULL,
    status TEXT NOT NULL,
    email TEXT,
    first_name TEXT,
    last_name TEXT,
    discovered_at TEXT NOT NULL,
    last_login TEXT,
    last_activity TEXT,
    permissions TEXT NOT NULL,
    attributes TEXT NOT NULL,
    UNIQUE (app_id, unique_identifier)
);
CREATE INDEX IF NOT EXISTS account_status ON account (app_id, status);
CREATE INDEX IF NOT EXISTS account_page ON account (app_id, seq);
CREATE INDEX IF NOT EXISTS account_email ON account (app_id, email COLLATE NOCASE);

CREATE TABLE IF NOT EXISTS job (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,                   -- upload | activity
    app_id TEXT,                          -- of an upload
    row_count INTEGER NOT NULL,
    created_at REAL NOT NULL,
    starts_at REAL NOT NULL,
    ends_at REAL,                         -- null: never
    outcome TEXT NOT NULL,                -- the state it will end in
    is_settled INTEGER NOT NULL DEFAULT 0,
    is_forgotten INTEGER NOT NULL DEFAULT 0,
    is_overlapping INTEGER NOT NULL DEFAULT 0,
    reason TEXT,                          -- why it fails; Lumos itself never says
    added_count INTEGER,
    updated_count INTEGER,
    removed_count INTEGER
);
CREATE INDEX IF NOT EXISTS job_open ON job (is_settled, ends_at);

CREATE TABLE IF NOT EXISTS staged (       -- the rows of upload jobs that have not ended
    job_id TEXT NOT NULL,
    unique_identifier TEXT NOT NULL,
    status TEXT NOT NULL,
    email TEXT,
    first_name TEXT,
    last_name TEXT,
    last_login TEXT,
    last_activity TEXT,
    permissions TEXT NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (job_id, unique_identifier)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS activity (
    seq INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    external_id TEXT,
    email TEXT,
    event_type TEXT NOT NULL,
    at TEXT NOT NULL,
    instance_identifier TEXT,
    account_id TEXT                       -- null: not applied yet, or nobody's
);
CREATE INDEX IF NOT EXISTS activity_job ON activity (job_id);
"""
