"""Where a body goes: a file, stdout, a store, a spool."""
