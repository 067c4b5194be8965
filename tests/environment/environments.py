"""Odd environments: how to make one, and with which codes what it breaks may end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, combinations
from pathlib import Path

from tests.environment.commands import Need

Breaks = Mapping[Need, frozenset[int]]


@dataclass(frozen=True)
class Environment:
    """What a shell does before it becomes `nostra`, and variables: None removes one.

    `{home}` and `{cwd}` stand for folders of the run. `breaks` says how a command that needs
    something ends here; `also` are codes that any command may end with.
    """

    name: str
    prelude: str = ""
    env: Mapping[str, str | bytes | None] = field(default_factory=dict)
    breaks: Breaks = field(default_factory=dict)
    also: frozenset[int] = frozenset()
    wrapper: tuple[str, ...] = ()
    nonblocking: tuple[int, ...] = ()
    terminal: bool = False

    def __str__(self) -> str:
        return self.name


def codes(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


NO_CONFIG_FOLDER = {Need.CONFIG_WRITTEN: codes(8)}
NO_FOLDER = {Need.FILES: codes(8), Need.FOLDER: codes(8)}
NO_HOME = {Need.CONFIG_WRITTEN: codes(2), Need.CONFIG_PATH: codes(2)}
BAD_CONFIG = {
    Need.SETTINGS: codes(2),
    Need.CONFIG_READ: codes(2, 8),
    Need.CONFIG_WRITTEN: codes(2, 8),
}
# A person without the passwd entry, who can read what this test may read.
_STRANGER = (
    "setpriv",
    "--reuid=54321",
    "--regid=54321",
    "--clear-groups",
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
)
# root as one whom modes bind.
_BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@cache
def usable(wrapper: tuple[str, ...]) -> bool:
    """Return whether a wrapper of command lines works for who runs this."""
    if not wrapper:
        return True
    if shutil.which(wrapper[0]) is None:
        return False
    done = subprocess.run(
        [*wrapper, sys.executable, "-c", ""], capture_output=True, check=False, timeout=20
    )
    return done.returncode == 0


def _bound() -> tuple[str, ...]:
    return _BOUND if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


def _homes() -> list[Environment]:
    return [
        Environment("HOME-missing", env={"HOME": "/dev/null/home"}, breaks=NO_CONFIG_FOLDER),
        Environment("HOME-device", env={"HOME": "/dev/null"}, breaks=NO_CONFIG_FOLDER),
        Environment("HOME-empty", env={"HOME": ""}, also=codes(8)),
        Environment("HOME-relative", env={"HOME": "."}),
        Environment("HOME-not-utf8", env={"HOME": b"{home}/caf\xe9"}),
        Environment(
            "HOME-long",
            env={"HOME": "/" + "x" * 5000},
            breaks=BAD_CONFIG,
        ),
        Environment("HOME-unset", env={"HOME": None}),
        Environment(
            "no-home-and-no-passwd-entry",
            env={"HOME": None},
            wrapper=_STRANGER,
            breaks={**NO_HOME, **NO_FOLDER},
        ),
        Environment("XDG-relative", env={"XDG_CONFIG_HOME": "x", "XDG_STATE_HOME": "y"}),
        Environment(
            "XDG-device",
            env={"XDG_CONFIG_HOME": "/dev/null", "XDG_STATE_HOME": "/dev/null"},
            breaks=NO_CONFIG_FOLDER,
        ),
        Environment(
            "read-only",
            "chmod 555 {home} {cwd}",
            {"TMPDIR": "{home}"},
            {**NO_CONFIG_FOLDER, **NO_FOLDER},
            wrapper=_bound(),
        ),
        Environment(
            "stranger-in-root's-home",
            wrapper=_STRANGER,
            breaks={**NO_CONFIG_FOLDER, **NO_FOLDER},
        ),
        Environment("cwd-removed", "cd {cwd} && rmdir {cwd}", breaks={**NO_FOLDER}),
        Environment("TMPDIR-missing", env={"TMPDIR": "/nonexistent"}),
        Environment("TMPDIR-device", env={"TMPDIR": "/dev/null", "TEMP": "/dev/null"}),
    ]


def _configs() -> list[Environment]:
    config = "{home}/c.toml"
    return [
        Environment("config-folder", env={"NOSTRA_CONFIG": "{home}"}, breaks=BAD_CONFIG),
        Environment(
            "config-null",
            env={"NOSTRA_CONFIG": "/dev/null"},
            breaks={**NO_CONFIG_FOLDER, Need.CONFIG_READ: codes(8)},
        ),
        Environment("config-zero", env={"NOSTRA_CONFIG": "/dev/zero"}, breaks=BAD_CONFIG),
        Environment(
            "config-binary",
            f"head -c 9999 {sys.executable} > {config}",
            {"NOSTRA_CONFIG": config},
            BAD_CONFIG,
        ),
        Environment(
            "config-huge", f"truncate -s 2G {config}", {"NOSTRA_CONFIG": config}, BAD_CONFIG
        ),
        Environment("config-empty", f"> {config}", {"NOSTRA_CONFIG": config}),
        Environment(
            "config-bad", f"echo 'x = [' > {config}", {"NOSTRA_CONFIG": config}, BAD_CONFIG
        ),
        Environment(
            "config-unreadable",
            f"> {config}; chmod 0 {config}",
            {"NOSTRA_CONFIG": config},
            BAD_CONFIG,
            wrapper=_bound(),
        ),
        Environment(
            "config-link-loop", f"ln -s c.toml {config}", {"NOSTRA_CONFIG": config}, BAD_CONFIG
        ),
        Environment(
            "config-pipe",
            "exec 9<<.\n[profiles.default]\n.",
            {"NOSTRA_CONFIG": "/dev/fd/9"},
            {**NO_CONFIG_FOLDER, Need.CONFIG_READ: codes(8)},
        ),
        Environment(
            "profile-not-utf8",
            env={"NOSTRA_PROFILE": b"\xff"},
            breaks=BAD_CONFIG,
        ),
        Environment(
            "profile-missing", env={"NOSTRA_PROFILE": "nope"}, breaks={Need.SETTINGS: codes(2)}
        ),
    ]


def _streams() -> list[Environment]:
    found = []
    for fds in chain.from_iterable(combinations((0, 1, 2), size) for size in (1, 2, 3)):
        name = "".join(map(str, fds))
        closing = " ".join(f"{fd}{'<' if fd == 0 else '>'}&-" for fd in fds)
        breaks = {}
        if 0 in fds:
            breaks[Need.STDIN] = codes(2)
        if 1 in fds:
            breaks[Need.STDOUT] = codes(8)
        found.append(Environment(f"closed-{name}", f"exec {closing}", breaks=breaks))
        found.append(Environment(f"nonblocking-{name}", nonblocking=fds))
    if Path("/dev/full").exists():
        full = {Need.STDOUT: codes(8)}
        found.append(Environment("stdout-full", "exec > /dev/full", breaks=full))
        found.append(Environment("stderr-full", "exec 2> /dev/full"))
    found.append(
        Environment("stdout-read-only", "exec 1< /dev/null", breaks={Need.STDOUT: codes(8)})
    )
    return found


def _locales() -> list[Environment]:
    bare = {"LANG": None, "LC_ALL": None}
    return [
        Environment("locale-unset", env=bare),
        Environment("locale-C", env={"LC_ALL": "C"}),
        Environment(
            "locale-C-plain", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        ),
        Environment("locale-POSIX", env={"LC_ALL": "POSIX"}),
        Environment("locale-invalid", env={"LC_ALL": "xx_YY.nothing"}),
        Environment("latin-1", env={"PYTHONIOENCODING": "latin-1"}),
        Environment("ascii-strict", env={"PYTHONIOENCODING": "ascii:strict"}),
        Environment("utf-16", env={"PYTHONIOENCODING": "utf-16"}),
        Environment("timezone-nonsense", env={"TZ": "nonsense/9\u00e9"}),
    ]


def _limits() -> list[Environment]:
    # One thread is what a request needs: it watches over the time that it takes.
    no_thread = dict.fromkeys((Need.THREAD, Need.PROCESS), codes(8))
    return [
        Environment("nofile-16", "ulimit -n 16", also=codes(8)),
        Environment("nofile-32", "ulimit -n 32", also=codes(8)),
        Environment(
            "nproc-1",
            'set -- prlimit --nproc=1 "$@"',
            wrapper=_STRANGER,
            breaks={**NO_CONFIG_FOLDER, **NO_FOLDER, **no_thread},
        ),
        Environment(
            "fsize-0",
            "ulimit -f 0",
            breaks={Need.FILES: codes(8), Need.CONFIG_WRITTEN: codes(8), Need.PROCESS: codes(2)},
        ),
        Environment("umask-777", "umask 777"),
        Environment("umask-377", "umask 377"),
        Environment("umask-0", "umask 0"),
        Environment("core-0-stack-small", "ulimit -c 0; ulimit -s 512"),
    ]


def _terminals() -> list[Environment]:
    return [
        *(
            Environment(f"TERM-{term}", env={"TERM": term}, terminal=True)
            for term in (None, "", "dumb", "nonsense", "xterm")
        ),
        Environment("COLUMNS-0", env={"COLUMNS": "0", "LINES": "0"}, terminal=True),
        Environment(
            "terminal-C-plain",
            env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            terminal=True,
        ),
        Environment("terminal-no-color", env={"NO_COLOR": "1", "FORCE_COLOR": "1"}, terminal=True),
    ]


def _variables() -> list[Environment]:
    return [
        Environment("optimized", env={"PYTHONOPTIMIZE": "2"}),
        Environment("warnings-as-errors", env={"PYTHONWARNINGS": "error"}),
        Environment("developer-mode", env={"PYTHONDEVMODE": "1"}),
        Environment("unbuffered", env={"PYTHONUNBUFFERED": "1"}),
        Environment(
            "GITHUB_ACTIONS", env={"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "/nonexistent"}
        ),
        Environment(
            "empty-variables",
            env=dict.fromkeys(
                ("NOSTRA_PROFILE", "NOSTRA_CONFIG", "XDG_CONFIG_HOME", "NO_COLOR", "HTTPS_PROXY"),
                "",
            ),
        ),
        Environment(
            "odd-proxies",
            env={"HTTPS_PROXY": "::", "ALL_PROXY": "x://y", "NO_PROXY": "*,,["},
        ),
    ]


ALL = [*_homes(), *_configs(), *_streams(), *_locales(), *_limits(), *_terminals(), *_variables()]
