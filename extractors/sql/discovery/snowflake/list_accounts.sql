-- Every user of the account, those dropped in the last year among them, for access reviews. A login that
-- was dropped and made again counts once, as it is now.
-- SNOWFLAKE.ACCOUNT_USAGE.USERS (Snowflake, "Account Usage"); it lags by up to two hours.
SELECT
    u.login_name AS integration_specific_id,
    u.email AS email,
    -- Where there is no e-mail, both names are needed: the login, and where it is one.
    COALESCE(
        NULLIF(u.first_name, ''), CASE WHEN COALESCE(u.email, '') = '' THEN u.login_name END
    ) AS given_name,
    COALESCE(
        NULLIF(u.last_name, ''), CASE WHEN COALESCE(u.email, '') = '' THEN 'Snowflake' END
    ) AS family_name,
    u.login_name AS username,
    CASE
        WHEN u.deleted_on IS NOT NULL THEN 'DELETED'
        WHEN LOWER(CAST(u.disabled AS VARCHAR)) = 'true' THEN 'SUSPENDED'
        WHEN LOWER(CAST(u.snowflake_lock AS VARCHAR)) = 'true' THEN 'SUSPENDED'
        WHEN u.expires_at <= CURRENT_TIMESTAMP() THEN 'SUSPENDED'
        ELSE 'ACTIVE'
    END AS user_status,
    -- TYPE says what a user is for; without one it is a person's.
    CASE
        WHEN u.type IN ('SERVICE', 'LEGACY_SERVICE', 'SNOWFLAKE_SERVICE') THEN 'service' ELSE 'user'
    END AS account_type,
    u.created_on AS created_on,
    u.default_role AS default_role,
    u.default_warehouse AS default_warehouse,
    CAST(u.has_password AS VARCHAR) AS has_password,
    CAST(u.has_rsa_public_key AS VARCHAR) AS has_rsa_key,
    CAST(u.has_mfa AS VARCHAR) AS mfa_enabled,
    CAST(u.must_change_password AS VARCHAR) AS must_change_password,
    u.owner AS owner,
    u.comment AS description
FROM snowflake.account_usage.users AS u
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY u.login_name
    ORDER BY CASE WHEN u.deleted_on IS NULL THEN 0 ELSE 1 END, u.created_on DESC
) = 1
