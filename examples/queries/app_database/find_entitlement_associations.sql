SELECT
    g.account_id AS account_id,
    g.permission_id AS integration_specific_entitlement_id,
    p.module AS integration_specific_resource_id
FROM grants AS g
JOIN permissions AS p ON p.id = g.permission_id
