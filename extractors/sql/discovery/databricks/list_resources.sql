-- What something was granted on. The description names the groups that were granted something on it.
-- Of system.information_schema: CATALOG_PRIVILEGES, SCHEMA_PRIVILEGES, TABLE_PRIVILEGES and
-- ROUTINE_PRIVILEGES (Databricks, "Information schema"); what was inherited from above is left out. The id of a
-- routine ends in (), so that it is no table's.
WITH
granted AS (
    SELECT
        p.grantee,
        'CATALOG' AS resource_type,
        p.catalog_name AS resource_id
    FROM system.information_schema.catalog_privileges AS p
    WHERE p.inherited_from = 'NONE'
    UNION
    SELECT
        p.grantee,
        'SCHEMA' AS resource_type,
        CONCAT(p.catalog_name, '.', p.schema_name) AS resource_id
    FROM system.information_schema.schema_privileges AS p
    WHERE p.inherited_from = 'NONE'
    UNION
    SELECT
        p.grantee,
        'TABLE' AS resource_type,
        CONCAT(p.table_catalog, '.', p.table_schema, '.', p.table_name) AS resource_id
    FROM system.information_schema.table_privileges AS p
    WHERE p.inherited_from = 'NONE'
    UNION
    SELECT
        p.grantee,
        'ROUTINE' AS resource_type,
        CONCAT(p.routine_catalog, '.', p.routine_schema, '.', p.routine_name, '()') AS resource_id
    FROM system.information_schema.routine_privileges AS p
    WHERE p.inherited_from = 'NONE'
)
SELECT
    g.resource_type AS resource_type,
    g.resource_id AS integration_specific_id,
    g.resource_id AS label,
    CASE
        WHEN COUNT(g.group_name) > 0
            THEN CONCAT(
                'Groups with privileges: ',
                ARRAY_JOIN(ARRAY_SORT(COLLECT_SET(g.group_name)), ', ')
            )
    END AS description
FROM (
    SELECT
        r.resource_type,
        r.resource_id,
        CASE
            WHEN LOCATE('@', r.grantee) > 1 THEN NULL
            WHEN LENGTH(r.grantee) = 36 AND r.grantee RLIKE '^[0-9a-f-]+$' THEN NULL
            ELSE r.grantee
        END AS group_name
    FROM granted AS r
) AS g
GROUP BY g.resource_type, g.resource_id
