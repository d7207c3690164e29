"""Speed and memory, beside a bare floor and beside peers. Run by hand; never a test."""
