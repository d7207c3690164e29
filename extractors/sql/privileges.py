"""What the account that logs in could write, if it were let: asked of the database's catalog."""

import os
from pathlib import Path

from extractors.sql.connect.connect import open_session
from extractors.sql.statements.statement import Statement
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve

_MYSQL_READS = (
    "'USAGE', 'SELECT', 'SHOW DATABASES', 'SHOW VIEW', 'PROCESS', 'REPLICATION CLIENT', "
    "'BINLOG MONITOR', 'SLAVE MONITOR', 'REPLICA MONITOR'"
)
_POSTGRESQL = """
SELECT 'the whole server: it is a superuser' FROM pg_roles
    WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ': ' || concat_ws(', ',
        CASE WHEN has_any_column_privilege(c.oid, 'INSERT') THEN 'INSERT' END,
        CASE WHEN has_any_column_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
        CASE WHEN has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END,
        CASE WHEN has_table_privilege(c.oid, 'TRUNCATE') THEN 'TRUNCATE' END)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname <> 'information_schema'
        AND n.nspname !~ '^pg_' AND has_schema_privilege(n.oid, 'USAGE')
        AND (has_any_column_privilege(c.oid, 'INSERT, UPDATE')
            OR has_table_privilege(c.oid, 'DELETE, TRUNCATE'))
UNION ALL
SELECT 'schema ' || quote_ident(nspname) || ': CREATE' FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        AND has_schema_privilege(oid, 'CREATE')
UNION ALL
SELECT 'this database: CREATE' WHERE has_database_privilege(current_database(), 'CREATE')
"""
_MYSQL = f"""
SELECT CONCAT('everywhere: ', privilege_type) FROM information_schema.user_privileges
    WHERE privilege_type NOT IN ({_MYSQL_READS})
UNION ALL
SELECT CONCAT(table_schema, ': ', privilege_type) FROM information_schema.schema_privileges
    WHERE privilege_type NOT IN ({_MYSQL_READS})
UNION ALL
SELECT CONCAT(table_schema, '.', table_name, ': ', privilege_type)
    FROM information_schema.table_privileges WHERE privilege_type NOT IN ({_MYSQL_READS})
"""  # noqa: S608 - both parts are ours
_MSSQL = """
SELECT 'this database: ' + permission_name FROM fn_my_permissions(NULL, 'DATABASE')
    WHERE permission_name IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER', 'CONTROL', 'EXECUTE',
        'CREATE TABLE')
UNION ALL
SELECT SCHEMA_NAME(o.schema_id) + '.' + o.name + ': ' + p.name
    FROM sys.objects o CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE')) AS p(name)
    WHERE o.type IN ('U', 'V') AND HAS_PERMS_BY_NAME(
        QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name), 'OBJECT', p.name) = 1
"""
_ORACLE = """
SELECT 'everywhere: ' || privilege FROM session_privs
    WHERE REGEXP_LIKE(privilege, '^(INSERT|UPDATE|DELETE|ALTER|CREATE|DROP|GRANT|EXECUTE) ')
        AND privilege <> 'CREATE SESSION'
UNION ALL
SELECT owner || '.' || table_name || ': ' || privilege FROM all_tab_privs_recd
    WHERE privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER')
UNION ALL
SELECT 'its own table ' || table_name || ': all' FROM user_tables
"""
_SNOWFLAKE = """
SELECT table_catalog || '.' || table_schema || '.' || table_name || ': ' || privilege_type
    FROM information_schema.table_privileges
    WHERE privilege_type NOT IN ('SELECT', 'REFERENCES', 'REBUILD')
        AND grantee = CURRENT_ROLE()
"""
_CATALOGS = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "mssql": _MSSQL,
    "oracle": _ORACLE,
    "snowflake": _SNOWFLAKE,
}


def read_sql_privileges(
    source: DatabaseOptions, workspace: Path, *, resolve: Resolve
) -> tuple[str, ...] | None:
    """Reads what the account could write, an object or a right each; None where that is unknown.

    Raises:
        ConfigError, SourceUnavailableError: no connection.
        SourceFormatError: the catalog cannot be asked.
    """
    with open_session(source, workspace, resolve) as session:
        if session.file is not None:
            return (f"{session.server}: the file",) if os.access(session.file, os.W_OK) else ()
        catalog = _CATALOGS.get(session.engine)
        if catalog is None:
            return None
        rights = Statement("privileges", "what the account may write", (catalog,), is_query=True)
        return tuple(sorted(set(session.read(rights).rows.to_series().drop_nulls())))
