"""What crosses a border: tables, source file, settings, plan, run, errors. No I/O."""
