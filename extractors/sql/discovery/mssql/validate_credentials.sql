-- What the reading account lacks. SQL Server shows only the logins, users and grants that an account may
-- see, and says nothing of the others: with less, a snapshot would be short.
-- HAS_PERMS_BY_NAME (Microsoft, "Metadata visibility configuration"); the finer permission is of 2022.
SELECT 'GRANT VIEW ANY DEFINITION: the account sees only some of the logins' AS missing
WHERE COALESCE(HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY DEFINITION'), 0) = 0
    AND COALESCE(HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW ANY SECURITY DEFINITION'), 0) = 0
