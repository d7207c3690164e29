"""Pure functions on frames: raw rows, canonical tables, plan, upload bodies. No I/O."""
