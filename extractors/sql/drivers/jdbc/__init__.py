"""JDBC: a Java process that reads in the place of a Python driver."""
