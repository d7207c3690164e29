-- Privileges as they were granted.
-- Of system.information_schema: CATALOG_PRIVILEGES, SCHEMA_PRIVILEGES, TABLE_PRIVILEGES and
-- ROUTINE_PRIVILEGES (Databricks, "Information schema"); what was inherited from above is left out. The id of a
-- routine ends in (), so that it is no table's.
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
