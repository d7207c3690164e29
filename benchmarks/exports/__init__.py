"""From exports to upload bodies, beside a floor and peers."""
