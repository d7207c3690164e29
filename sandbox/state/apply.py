"""What a job does to the accounts when it ends."""

import sqlite3

_REMOVE_ABSENT = """
    DELETE FROM account WHERE app_id = :app_id AND NOT EXISTS (
        SELECT 1 FROM staged
        WHERE job_id = :job_id AND staged.unique_identifier = account.unique_identifier)
"""
_COUNT_KNOWN = """
    SELECT count(*) FROM staged WHERE job_id = :job_id AND EXISTS (
        SELECT 1 FROM account
        WHERE app_id = :app_id AND account.unique_identifier = staged.unique_identifier)
"""
# A null date says nothing about a known account: what activity records told of it stays.
_PUT_PRESENT = """
    INSERT INTO account (id, app_id, unique_identifier, status, email, first_name, last_name,
        discovered_at, last_login, last_activity, permissions, attributes)
    SELECT new_id(), :app_id, unique_identifier, status, email, first_name, last_name,
        :at, last_login, last_activity, permissions, attributes
    FROM staged WHERE job_id = :job_id
    ON CONFLICT (app_id, unique_identifier) DO UPDATE SET
        status = excluded.status,
        email = excluded.email,
        first_name = excluded.first_name,
        last_name = excluded.last_name,
        last_login = coalesce(excluded.last_login, last_login),
        last_activity = coalesce(excluded.last_activity, last_activity),
        permissions = excluded.permissions,
        attributes = excluded.attributes
"""
_COUNT_CHANGES = """
    UPDATE job SET added_count = row_count - :known, updated_count = :known,
        removed_count = :removed
    WHERE id = :job_id
"""
_FIND_OWNERS = """
    UPDATE activity SET account_id = coalesce(
        (SELECT id FROM account WHERE account.app_id = activity.app_id
            AND account.unique_identifier = activity.external_id),
        (SELECT id FROM account WHERE account.app_id = activity.app_id
            AND account.email = activity.email COLLATE NOCASE ORDER BY seq LIMIT 1))
    WHERE job_id = ?
"""
_MOVE_LOGINS = """
    UPDATE account SET last_login = newest.at
    FROM (SELECT account_id, max(at) AS at FROM activity
        WHERE job_id = ? AND event_type = 'LOGIN' GROUP BY account_id) AS newest
    WHERE account.id = newest.account_id
        AND (last_login IS NULL OR last_login < newest.at)
"""
_MOVE_ACTIVITY = """
    UPDATE account SET last_activity = newest.at
    FROM (SELECT account_id, max(at) AS at FROM activity
        WHERE job_id = ? AND event_type = 'ACTIVITY' GROUP BY account_id) AS newest
    WHERE account.id = newest.account_id
        AND (last_activity IS NULL OR last_activity < newest.at)
"""


def apply_upload(
    connection: sqlite3.Connection, job_id: str, app_id: str, *, at: str, snapshot: bool
) -> None:
    """Put the staged accounts into the app; of a snapshot, also remove what it does not hold."""
    values: dict[str, object] = {"job_id": job_id, "app_id": app_id, "at": at, "removed": 0}
    if snapshot:
        values["removed"] = connection.execute(_REMOVE_ABSENT, values).rowcount
    values["known"] = connection.execute(_COUNT_KNOWN, values).fetchone()[0]
    connection.execute(_PUT_PRESENT, values)
    connection.execute(_COUNT_CHANGES, values)


def apply_activity(connection: sqlite3.Connection, job_id: str) -> None:
    """Find whose activity it was, and move last_login and last_activity on, never back."""
    for statement in (_FIND_OWNERS, _MOVE_LOGINS, _MOVE_ACTIVITY):
        connection.execute(statement, (job_id,))
