"""Streams for the output: files of bytes that may claim to be a terminal."""

from __future__ import annotations

import io

from nostra_cli.output.console import Output
from nostra_cli.output.streams import OutputOptions


class Stream(io.TextIOWrapper):
    """Keep the bytes that are written."""

    def __init__(self, terminal: bool = False, encoding: str = "utf-8") -> None:
        self.kept = io.BytesIO()
        super().__init__(self.kept, encoding=encoding, newline="\n")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def content(self) -> bytes:
        self.flush()
        return self.kept.getvalue()

    @property
    def text(self) -> str:
        return self.content.decode(self.encoding)


class Screen:
    """An output with both of its streams."""

    def __init__(
        self,
        options: OutputOptions | None = None,
        terminal: bool = False,
        encoding: str = "utf-8",
        **env: str,
    ) -> None:
        self.stdout = Stream(terminal, encoding)
        self.stderr = Stream(terminal, encoding)
        self.output = Output(options or OutputOptions(), self.stdout, self.stderr, env)

    @property
    def out(self) -> str:
        return self.stdout.text

    @property
    def err(self) -> str:
        return self.stderr.text
