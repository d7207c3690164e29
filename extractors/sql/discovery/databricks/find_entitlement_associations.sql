-- Which user or service principal was granted what. Who is in a group SQL cannot see, so that what a
-- group may do is nobody's here; list_resources notes which groups those are.
WITH
-- part: databricks/granted.sql
SELECT DISTINCT
    g.grantee AS account_id,
    g.privilege_type AS integration_specific_entitlement_id,
    g.resource_id AS integration_specific_resource_id
FROM granted AS g
WHERE LOCATE('@', g.grantee) > 1 OR (LENGTH(g.grantee) = 36 AND g.grantee RLIKE '^[0-9a-f-]+$')
