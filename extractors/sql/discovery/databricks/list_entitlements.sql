-- Privileges on catalogs, schemas, tables and routines as they were granted.
WITH
-- part: databricks/granted.sql
SELECT DISTINCT
    'PRIVILEGE' AS entitlement_type,
    g.privilege_type AS integration_specific_id,
    g.resource_id AS integration_specific_resource_id,
    g.privilege_type AS label,
    CAST(NULL AS STRING) AS description,
    'true' AS is_assignable
FROM granted AS g
