SELECT DISTINCT
    'MODULE' AS resource_type,
    module AS integration_specific_id,
    module AS label,
    NULL AS description
FROM permissions
