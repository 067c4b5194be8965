"""`python -m nostra_cli`, and the console script."""

import gc
import os
import signal
import sys

from nostra_cli import __version__


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    # Typer alone takes three times as long to load as Python.
    if sys.argv[1:] == ["--version"] and _is_written(f"nostra {__version__}\n"):
        return
    # Before and after our own handlers, Ctrl-C ends the process without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Imports create many objects but no garbage: not looking for it takes 6 % off the CPU time of
    # `nostra status`.
    gc.set_threshold(100_000)
    from nostra_cli.cli.main import main as run

    code = run()
    # All is written and closed. Python would take 3 ms to unload its modules, in which another
    # signal, a thread or a library could still change the exit code.
    os._exit(code)


def _is_written(text: str) -> bool:
    """Write a text to stdout; return False if that fails (`run` reports why)."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (AttributeError, OSError):  # closed, full, or a pipe that nobody reads
        return False
    return True


if __name__ == "__main__":
    main()
