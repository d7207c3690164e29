"""The data: accounts, and who holds what, in a private PostgreSQL."""

import psycopg

SOURCE_FILE = """
app: {{name: Benchmark}}
source:
  kind: sql
  url: {url}
  queries:
    list_accounts: SELECT * FROM accounts
    list_entitlements: SELECT * FROM entitlements
    find_entitlement_associations: SELECT * FROM associations
"""

ACCOUNTS_ONLY = """
app: {{name: Benchmark}}
source: {{kind: sql, url: "{url}", queries: {{list_accounts: SELECT * FROM accounts}}}}
"""

_ACCOUNTS = """
CREATE TABLE accounts AS SELECT
    10000000 + n AS integration_specific_id,
    'user' || n || '@example.com' AS email,
    'Given' || n % 5000 AS given_name,
    'Family' || n % 20000 AS family_name,
    'user' || n AS username,
    CASE WHEN n % 11 = 0 THEN 'SUSPENDED' ELSE 'ACTIVE' END AS user_status,
    'user' AS account_type,
    timestamptz '2026-01-01 00:00+00' + n * interval '17 s' AS last_login,
    'Department ' || n % 300 AS "Department",
    'Title ' || n % 900 AS "Title"
FROM generate_series(0, {count} - 1) AS n
"""
_ENTITLEMENTS = """
CREATE TABLE entitlements AS SELECT 'role-' || n AS integration_specific_id,
    '' AS integration_specific_resource_id, 'Role' AS entitlement_type, 'Role ' || n AS label
FROM generate_series(0, 499) AS n
"""
_ASSOCIATIONS = """
CREATE TABLE associations AS SELECT 10000000 + n % {accounts} AS account_id,
    'role-' || (n * 7 + n / {accounts}) % 500 AS integration_specific_entitlement_id,
    '' AS integration_specific_resource_id
FROM generate_series(0, {count} - 1) AS n
"""


def fill(url: str, accounts: int, associations: int) -> None:
    """Makes the three tables."""
    with psycopg.connect(url) as connection:
        connection.execute(_ACCOUNTS.format(count=accounts).encode())
        connection.execute(_ENTITLEMENTS)
        connection.execute(_ASSOCIATIONS.format(accounts=accounts, count=associations).encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
