"""The command line: argv to a command to an exit code."""
