"""`python -m nostra_cli`, and the console script."""

import gc
import signal
import sys

from nostra_cli import __version__


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    # Typer alone takes three times as long to load as Python does.
    if sys.argv[1:] == ["--version"] and _is_written(f"nostra {__version__}\n"):
        return
    # Until our own handlers are in place, and after them, Ctrl-C ends without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Imports make many objects and no garbage: look for it less often than at each 700 of them.
    gc.set_threshold(100_000)
    # httpcore loads anyio where it is installed, for asynchronous clients, which are not made here.
    # None is Python's own mark of a module that cannot be imported, and httpcore goes on without.
    sys.modules["anyio"] = None  # type: ignore[assignment]
    from nostra_cli.cli.main import main as run

    try:
        code = run()
    finally:
        # The collection at the interpreter's end would look at every object of every import to
        # find nothing: a fifth of the time of a short command.
        gc.freeze()
    sys.exit(code)


def _is_written(text: str) -> bool:
    """Write a text to stdout; False where it takes none, which the long way tells of."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (AttributeError, OSError):  # closed, full, or a pipe that nobody reads
        return False
    return True


if __name__ == "__main__":
    main()
