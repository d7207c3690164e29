-- Every database of the server; schemas and, where something was granted on them, tables, columns,
-- functions and all else of the database that the URL names. The description notes what PUBLIC, so every
-- account, may do.
-- The access lists of pg_database, pg_namespace, pg_class, … (PostgreSQL documentation, "Privileges").
WITH
-- part: postgresql/objects.sql
SELECT
    o.resource_type,
    o.resource_id AS integration_specific_id,
    o.label,
    (
        SELECT 'Every account: ' || string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
        FROM aclexplode(
            coalesce(
                o.acl,
                CASE o.resource_type
                    WHEN 'DATABASE' THEN acldefault('d', o.owner)
                    WHEN 'SCHEMA' THEN acldefault('n', o.owner)
                END
            )
        ) AS a
        WHERE a.grantee = 0
    ) AS description
FROM objects AS o
WHERE o.resource_type = 'DATABASE'
OR (o.resource_type = 'SCHEMA' AND o.label !~ '[.]pg_(toast|temp)')
OR EXISTS (
    SELECT 1 FROM aclexplode(o.acl) AS a
    WHERE a.grantee <> 0 AND a.grantee <> o.owner AND a.grantee >= o.least
)
