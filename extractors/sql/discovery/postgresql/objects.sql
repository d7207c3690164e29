-- The objects of a server and of the database at hand, with their owners and access lists.
here AS (
    SELECT quote_ident(current_database()) || '.' AS name, current_database() || '.' AS label
),
-- What privileges are granted on. A default, which is not written down (NULL), is its owner's and
-- PUBLIC's alone. Of the functions of pg_catalog, only what others were granted (oid 16384 on).
objects AS (
    SELECT
        'DATABASE' AS resource_type,
        quote_ident(d.datname) AS resource_id,
        CAST(d.datname AS text) AS label,
        d.datdba AS owner,
        d.datacl AS acl,
        0 AS least
    FROM pg_catalog.pg_database AS d
    UNION ALL
    SELECT 'SCHEMA', h.name || quote_ident(n.nspname), h.label || n.nspname, n.nspowner, n.nspacl, 0
    FROM here AS h, pg_catalog.pg_namespace AS n
    UNION ALL
    SELECT
        CASE c.relkind
            WHEN 'v' THEN 'VIEW'
            WHEN 'm' THEN 'VIEW'
            WHEN 'S' THEN 'SEQUENCE'
            ELSE 'TABLE'
        END,
        h.name || quote_ident(n.nspname) || '.' || quote_ident(c.relname),
        h.label || n.nspname || '.' || c.relname,
        c.relowner,
        c.relacl,
        0
    FROM here AS h, pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    UNION ALL
    SELECT
        'COLUMN',
        h.name || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(t.attname),
        h.label || n.nspname || '.' || c.relname || '.' || t.attname,
        c.relowner,
        t.attacl,
        0
    FROM here AS h, pg_catalog.pg_attribute AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE t.attacl IS NOT NULL AND NOT t.attisdropped
    UNION ALL
    SELECT
        'FUNCTION',
        'FUNCTION ' || h.name || quote_ident(n.nspname) || '.' || quote_ident(p.proname)
        || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
        h.label || n.nspname || '.' || p.proname || '()',
        p.proowner,
        p.proacl,
        16384
    FROM here AS h, pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.proacl IS NOT NULL
    UNION ALL
    SELECT
        'TYPE',
        'TYPE ' || h.name || quote_ident(n.nspname) || '.' || quote_ident(t.typname),
        h.label || n.nspname || '.' || t.typname,
        t.typowner,
        t.typacl,
        0
    FROM here AS h, pg_catalog.pg_type AS t
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
    WHERE t.typacl IS NOT NULL
    UNION ALL
    SELECT 'LANGUAGE', 'LANGUAGE ' || h.name || quote_ident(l.lanname), h.label || l.lanname, l.lanowner, l.lanacl, 0
    FROM here AS h, pg_catalog.pg_language AS l
    UNION ALL
    SELECT 'WRAPPER', 'WRAPPER ' || h.name || quote_ident(w.fdwname), h.label || w.fdwname, w.fdwowner, w.fdwacl, 0
    FROM here AS h, pg_catalog.pg_foreign_data_wrapper AS w
    UNION ALL
    SELECT 'SERVER', 'SERVER ' || h.name || quote_ident(s.srvname), h.label || s.srvname, s.srvowner, s.srvacl, 0
    FROM here AS h, pg_catalog.pg_foreign_server AS s
    UNION ALL
    SELECT 'LARGE OBJECT', 'LARGE OBJECT ' || h.name || m.oid, h.label || m.oid, m.lomowner, m.lomacl, 0
    FROM here AS h, pg_catalog.pg_largeobject_metadata AS m
    UNION ALL
    SELECT 'TABLESPACE', 'TABLESPACE ' || quote_ident(t.spcname), CAST(t.spcname AS text), t.spcowner, t.spcacl, 0
    FROM pg_catalog.pg_tablespace AS t
)
