"""The targets of a body: a file, stdout, a store, a spool."""
