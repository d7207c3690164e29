"""The Lumos API: its client, and one module a thing that it keeps."""
