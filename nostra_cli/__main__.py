"""`python -m nostra_cli`, and the console script."""

import signal
import sys


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    # Until our own handlers are in place, and after them, Ctrl-C ends without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nostra_cli.cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
