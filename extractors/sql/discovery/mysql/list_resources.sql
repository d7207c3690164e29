-- Every database, and the tables, columns and routines on which something was granted.
-- information_schema.SCHEMATA and its PRIVILEGES, mysql.procs_priv.
WITH
-- part: mysql/granted.sql
SELECT
    'DATABASE' AS resource_type,
    CASE WHEN s.SCHEMA_NAME REGEXP '[.` ]' THEN CONCAT('`', REPLACE(s.SCHEMA_NAME, '`', '``'), '`') ELSE s.SCHEMA_NAME END AS integration_specific_id,
    s.SCHEMA_NAME AS label,
    NULL AS description
FROM (
    SELECT CONVERT(SCHEMA_NAME USING utf8mb4) COLLATE utf8mb4_bin AS SCHEMA_NAME
    FROM information_schema.SCHEMATA
) AS s
UNION
-- A grant may name databases by a pattern, or one that is not there yet.
SELECT g.kind, g.resource_id, g.label, NULL
FROM granted AS g
WHERE g.resource_id <> ''
