"""Where exports lie: folders, buckets, HTTPS and SFTP servers; a class each."""
