"""The commands of the tool as they meet every environment: what they need, how they end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto


class Need(Enum):
    """What of its environment a command cannot do without."""

    STDIN = auto()
    STDOUT = auto()
    SETTINGS = auto()
    CONFIG_PATH = auto()
    CONFIG_READ = auto()
    CONFIG_WRITTEN = auto()
    FILES = auto()
    FOLDER = auto()
    SERVICE = auto()
    PROCESS = auto()
    THREAD = auto()


DATA = frozenset({Need.SETTINGS, Need.STDOUT})
ASKED = DATA | {Need.SERVICE}
FILES = ASKED | {Need.FILES, Need.FOLDER}


@dataclass(frozen=True)
class Command:
    """A command line that ends with `code` where nothing is odd."""

    line: str
    needs: frozenset[Need] = frozenset()
    code: int = 0
    stdin: str = ""
    env: tuple[tuple[str, str], ...] = field(default=())

    def __str__(self) -> str:
        return self.line or f"TAB {dict(self.env)['_TYPER_COMPLETE_ARGS']!r}"


def completing(line: str) -> tuple[tuple[str, str], ...]:
    """Return the variables of a shell that completes a line."""
    return (
        ("_NOSTRA_COMPLETE", "complete_fish"),
        ("_TYPER_COMPLETE_FISH_ACTION", "get-args"),
        ("_TYPER_COMPLETE_ARGS", line),
    )


ALL = [
    Command("--version", frozenset({Need.STDOUT})),
    Command("--help", frozenset({Need.STDOUT})),
    Command("status --help", frozenset({Need.STDOUT})),
    Command("status demo-dedup", ASKED),
    Command("status demo-dedup --json", ASKED),
    Command("status nope", frozenset({Need.SETTINGS, Need.SERVICE}), 4),
    Command("status -", ASKED | {Need.STDIN}, stdin="demo-dedup\ndemo-failed\n"),
    Command("status demo-dedup -v --color always", ASKED),
    Command("wait demo-dedup", ASKED),
    Command("wait demo-stuck --timeout 1s", frozenset({Need.SETTINGS, Need.SERVICE}), 124),
    Command("wait demo-failed", ASKED, 5),
    Command("results demo-dedup", ASKED),
    Command("download demo-dedup -f csv", FILES),
    Command("download demo-demand -d sub/folder -f all --checksums --json", FILES),
    Command("download demo-dedup -f csv -o -", ASKED),
    Command("download nope -q", FILES - {Need.STDOUT, Need.FILES}, 4),
    Command("preview demo-dedup", ASKED),
    Command("preview demo-dedup --json", ASKED),
    Command("login", frozenset({Need.SERVICE, Need.STDIN, Need.CONFIG_WRITTEN}), stdin="{token}\n"),
    Command("logout", frozenset({Need.CONFIG_READ, Need.CONFIG_PATH})),
    Command("config", frozenset({Need.STDOUT})),
    Command("config list", DATA),
    Command("config get base_url", DATA),
    Command("config set jobs 3", frozenset({Need.CONFIG_WRITTEN})),
    Command("config unset jobs", frozenset({Need.CONFIG_READ, Need.CONFIG_PATH})),
    Command("config path", frozenset({Need.CONFIG_PATH, Need.STDOUT})),
    Command("doctor", ASKED | {Need.THREAD}),
    Command("doctor --json -v", ASKED | {Need.THREAD}),
    Command("api /api/collection", ASKED),
    Command("sandbox exec -- true", frozenset({Need.PROCESS})),
    Command("nosuchcommand", frozenset(), 2),
    Command("status --nosuchoption", frozenset(), 2),
    Command("completion bash", frozenset({Need.STDOUT})),
    Command("", frozenset({Need.STDOUT}), env=completing("nostra st")),
    Command("", frozenset({Need.STDOUT}), env=completing("nostra download x -f ")),
    Command("", frozenset({Need.STDOUT}), env=completing("nostra config set ")),
]
