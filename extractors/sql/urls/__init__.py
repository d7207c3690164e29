"""What a JDBC URL says, one module a database; `parse` is the way in."""
