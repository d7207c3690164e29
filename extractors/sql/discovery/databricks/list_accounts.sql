-- Users and service principals that were granted something: the only ones that SQL can see. A user is
-- named by the e-mail address, a service principal by its application id (a UUID); any other
-- grantee is a group. There is no column for the status: information_schema keeps none.
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
    g.grantee AS integration_specific_id,
    CASE WHEN LOCATE('@', g.grantee) > 1 THEN g.grantee END AS email,
    CASE WHEN LOCATE('@', g.grantee) < 2 THEN g.grantee END AS given_name,
    CASE WHEN LOCATE('@', g.grantee) < 2 THEN 'Databricks service principal' END AS family_name,
    g.grantee AS username,
    CASE WHEN LOCATE('@', g.grantee) > 1 THEN 'user' ELSE 'service' END AS account_type
FROM granted AS g
WHERE LOCATE('@', g.grantee) > 1 OR (LENGTH(g.grantee) = 36 AND g.grantee RLIKE '^[0-9a-f-]+$')
