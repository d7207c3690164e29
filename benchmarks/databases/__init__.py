"""From databases, beside bare readers and peers."""
