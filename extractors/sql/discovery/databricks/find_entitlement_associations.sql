-- Which user or service principal was granted what. Who is in a group SQL cannot see, so that what a
-- group may do is nobody's here; list_resources notes which groups those are.
-- Of system.information_schema: CATALOG_PRIVILEGES, SCHEMA_PRIVILEGES, TABLE_PRIVILEGES and
-- ROUTINE_PRIVILEGES (Databricks, "Information schema"); what was inherited from above is left out. The id of a
-- routine ends in (), so that it is no table's.
WITH
granted AS (
    SELECT
        p.grantee,
        p.privilege_type,
        p.catalog_name AS resource_id
    FROM system.information_schema.catalog_privileges AS p
    WHERE p.inherited_from = 'NONE'
    UNION
    SELECT
        p.grantee,
        p.privilege_type,
        CONCAT(p.catalog_name, '.', p.schema_name) AS resource_id
    FROM system.information_schema.schema_privileges AS p
    WHERE p.inherited_from = 'NONE'
    UNION
    SELECT
        p.grantee,
        p.privilege_type,
        CONCAT(p.table_catalog, '.', p.table_schema, '.', p.table_name) AS resource_id
    FROM system.information_schema.table_privileges AS p
    WHERE p.inherited_from = 'NONE'
    UNION
    SELECT
        p.grantee,
        p.privilege_type,
        CONCAT(p.routine_catalog, '.', p.routine_schema, '.', p.routine_name, '()') AS resource_id
    FROM system.information_schema.routine_privileges AS p
    WHERE p.inherited_from = 'NONE'
)
SELECT DISTINCT
    g.grantee AS account_id,
    g.privilege_type AS integration_specific_entitlement_id,
    g.resource_id AS integration_specific_resource_id
FROM granted AS g
WHERE LOCATE('@', g.grantee) > 1 OR (LENGTH(g.grantee) = 36 AND g.grantee RLIKE '^[0-9a-f-]+$')
