"""`python -m nostra_cli`, and the console script."""

import gc
import os
import signal
import sys

from nostra_cli import __version__


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    if sys.argv[1:] == ["--version"]:
        # Typer alone takes three times as long to load as Python does.
        try:
            os.write(1, f"nostra {__version__}\n".encode())
        except OSError:
            pass  # the long way knows what to say, and which code it is
        else:
            return
    # Until our own handlers are in place, and after them, Ctrl-C ends without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Imports make many objects and no garbage: look for it less often than at each 700 of them.
    gc.set_threshold(100_000)
    # httpcore loads anyio where it is installed, for asynchronous clients, which are not made here.
    # None is Python's own mark of a module that cannot be imported, and httpcore goes on without.
    sys.modules["anyio"] = None  # type: ignore[assignment]
    from nostra_cli.cli import main as run

    try:
        code = run()
    finally:
        # The collection at the interpreter's end would look at every object of every import to
        # find nothing: a fifth of the time of a short command.
        gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
