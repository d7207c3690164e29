SELECT
    'PERMISSION' AS entitlement_type,
    id AS integration_specific_id,
    module AS integration_specific_resource_id,
    name AS label,
    description,
    is_requestable AS is_assignable
FROM permissions
