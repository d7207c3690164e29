-- Every database, and the tables on which something was granted.
-- information_schema.SCHEMATA, SCHEMA_PRIVILEGES and TABLE_PRIVILEGES.
SELECT
    'DATABASE' AS resource_type,
    s.SCHEMA_NAME AS integration_specific_id,
    s.SCHEMA_NAME AS label,
    NULL AS description
FROM information_schema.SCHEMATA AS s
UNION
-- A grant may name databases by a pattern, or one that is not there yet.
SELECT 'DATABASE', p.TABLE_SCHEMA, p.TABLE_SCHEMA, NULL
FROM information_schema.SCHEMA_PRIVILEGES AS p
UNION
SELECT
    'TABLE',
    CONCAT(p.TABLE_SCHEMA, '.', p.TABLE_NAME),
    CONCAT(p.TABLE_SCHEMA, '.', p.TABLE_NAME),
    NULL
FROM information_schema.TABLE_PRIVILEGES AS p
WHERE p.PRIVILEGE_TYPE <> 'USAGE'
