-- Every user of the database; Oracle Database 12.1 or newer.
-- DBA_USERS (Oracle, "Database Reference"): account_status is one of some twenty texts.
SELECT
    u.username AS integration_specific_id,
    -- No e-mail is kept. The names say which login, and in which database.
    CAST(NULL AS VARCHAR2(1)) AS email,
    u.username AS given_name,
    'Oracle ' || SYS_CONTEXT('USERENV', 'DB_NAME') AS family_name,
    u.username AS username,
    -- Those that may work are named; whatever else there is or will be (LOCKED, LOCKED(TIMED), EXPIRED,
    -- EXPIRED & LOCKED, ...) may not. A schema without authentication is nobody's login.
    CASE
        WHEN u.authentication_type = 'NONE' THEN 'SUSPENDED'
        WHEN u.account_status IN (
            'OPEN', 'OPEN & IN ROLLOVER', 'EXPIRED(GRACE)', 'EXPIRED(GRACE) & IN ROLLOVER'
        ) THEN 'ACTIVE'
        ELSE 'SUSPENDED'
    END AS user_status,
    -- What Oracle itself made, and schemas that nobody can log in to.
    CASE
        WHEN u.oracle_maintained = 'Y' OR u.authentication_type = 'NONE' THEN 'service'
        ELSE 'user'
    END AS account_type,
    u.account_status AS account_status,
    u.profile AS profile,
    u.authentication_type AS authentication,
    u.created AS created_at,
    u.expiry_date AS password_expires_at
FROM dba_users u
