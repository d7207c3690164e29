"""What a JDBC URL says, one module a database; `extractors.jdbc_url` is the way in."""
