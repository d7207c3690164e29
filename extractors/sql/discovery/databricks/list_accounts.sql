-- Users and service principals that were granted something: the only ones that SQL can see. A user is
-- named by the e-mail address, a service principal by its application id (a UUID); any other
-- grantee is a group. There is no column for the status: information_schema keeps none.
WITH
-- part: databricks/granted.sql
SELECT DISTINCT
    g.grantee AS integration_specific_id,
    CASE WHEN LOCATE('@', g.grantee) > 1 THEN g.grantee END AS email,
    CASE WHEN LOCATE('@', g.grantee) < 2 THEN g.grantee END AS given_name,
    CASE WHEN LOCATE('@', g.grantee) < 2 THEN 'Databricks service principal' END AS family_name,
    g.grantee AS username,
    CASE WHEN LOCATE('@', g.grantee) > 1 THEN 'user' ELSE 'service' END AS account_type
FROM granted AS g
WHERE LOCATE('@', g.grantee) > 1 OR (LENGTH(g.grantee) = 36 AND g.grantee RLIKE '^[0-9a-f-]+$')
