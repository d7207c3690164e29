-- Every database, and the tables, columns and routines on which something was granted. The description
-- notes what PUBLIC, so every account, may do (MariaDB 10.11 or newer).
-- information_schema.SCHEMATA and its PRIVILEGES, mysql.procs_priv.
WITH
-- part: mysql/granted.sql
, noted AS (
    SELECT
        resource_id,
        CONCAT('Every account: ', GROUP_CONCAT(DISTINCT privilege ORDER BY privilege SEPARATOR ', ')) AS note
    FROM granted
    WHERE grantee = '''PUBLIC''@'''''
    GROUP BY resource_id
),
resources AS (
    SELECT
        'DATABASE' AS resource_type,
        CASE WHEN s.SCHEMA_NAME REGEXP '[.` ]' THEN CONCAT('`', REPLACE(s.SCHEMA_NAME, '`', '``'), '`') ELSE s.SCHEMA_NAME END AS resource_id,
        s.SCHEMA_NAME AS label
    FROM (
        SELECT CONVERT(SCHEMA_NAME USING utf8mb4) COLLATE utf8mb4_bin AS SCHEMA_NAME
        FROM information_schema.SCHEMATA
    ) AS s
    UNION
    -- A grant may name databases by a pattern, or one that is not there yet.
    SELECT g.kind, g.resource_id, g.label
    FROM granted AS g
    WHERE g.resource_id <> ''
)
SELECT
    r.resource_type,
    r.resource_id AS integration_specific_id,
    r.label,
    n.note AS description
FROM resources AS r
LEFT JOIN noted AS n ON n.resource_id = r.resource_id
