"""Messages on stderr: errors, warnings, progress, and the report of a CI job."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from nostra_cli.errors import NostraError, Signalled
from nostra_cli.output.progress import Progress
from nostra_cli.output.render import json_text, map_strings, paint_word
from nostra_cli.output.sanitize import sanitize, sanitize_json
from nostra_cli.output.streams import MessageStream, OutputOptions, use_color

if TYPE_CHECKING:
    from nostra_cli.models import JsonValue
    from nostra_cli.output.github import Report
    from nostra_cli.output.live import Live


class Messages:
    """The messages of a command."""

    def __init__(
        self, options: OutputOptions, stderr: TextIO | None, env: Mapping[str, str] = os.environ
    ) -> None:
        """Write to `stderr`, None where the process was started without one."""
        self.options = options
        self._env = env
        self._masks: list[Callable[[str], str]] = []
        self._messages = MessageStream(stderr)
        self._color_messages = use_color(stderr, options.color, env)
        self._live = self._make_live()
        self.progress = Progress(self.info, self._live)
        self.to_github = False
        """Whether the runner of GitHub Actions reads both streams."""
        self._report: Report | None = None

    def _make_live(self) -> Live | None:
        options = self.options
        if options.quiet or options.json or options.verbose or not self._messages.terminal:
            return None
        if self._env.get("TERM") == "dumb":  # cannot redraw a line
            return None
        from nostra_cli.output.live import Live

        return Live(self._messages, self._color_messages, self._sanitize)

    def suspend(self) -> None:
        """Leave the terminal as it was found, until the next redraw."""
        if self._live is not None:
            self._live.suspend()

    def restore(self) -> None:
        """Leave the terminal as it was found: the process ends at once."""
        if self._live is not None:
            self._live.restore()

    def end_line(self) -> None:
        """Begin a new line after the ^C of the terminal, unless a display will erase it."""
        if self._messages.terminal and not (self._live is not None and self._live.visible):
            self._messages.line("")

    def close(self) -> None:
        """Leave the terminal as it was found, and draw nothing more."""
        if self._live is not None:
            self._live.close()

    def mask(self, redact: Callable[[str], str]) -> None:
        """Apply `redact`, which masks a secret in a text, to all output from now on."""
        self._masks.append(redact)

    def _masked(self, text: str) -> str:
        for redact in self._masks:
            text = redact(text)
        return text

    def _sanitize(self, text: str) -> str:
        return sanitize(self._masked(text))

    def error(self, error: NostraError) -> None:
        """Show an error, in one or two lines or as one JSON object."""
        if self._report is not None:
            self._report.add_error(error)
        if self.options.json:
            self.error_object(error)
        else:
            from nostra_cli.output.views import advice

            self._announce("error", error.message, advice(error), error.invocation)

    def error_object(self, error: NostraError | Signalled) -> None:
        """Show an error, or the signal that ends the run, as one JSON object."""
        from nostra_cli.output.views import error_json

        self._message(self._json({"error": error_json(error)}, self._messages.encoding))

    def warn(self, text: str) -> None:
        """Show a warning; not with `--quiet`."""
        if self.options.quiet:
            return
        if self.options.json:
            self._message(self._json({"warning": text}, self._messages.encoding))
        else:
            self._announce("warning", text)

    def info(self, text: str) -> None:
        """Show a message; not with `--quiet` or `--json`."""
        if not (self.options.quiet or self.options.json):
            self._message(self._sanitize(text))

    def trace(self, text: str) -> None:
        """Show a step of HTTP (`--verbose`)."""
        self._message(self._sanitize(text))

    def _announce(
        self, word: str, text: str, hint: str = "", invocation: str | None = None
    ) -> None:
        text, hint = self._sanitize(text), self._sanitize(hint)
        if self.to_github:
            title = self._report.name if self._report is not None else "nostra"
            if invocation is not None:
                title += f": {self._sanitize(invocation)}"
            self._command(word, f"{text}\nhint: {hint}" if hint else text, title)
            return
        for start, line in ((word, text), ("hint", hint)):
            if line:
                self._message(f"{paint_word(start) if self._color_messages else start}: {line}")

    def _json(self, value: JsonValue, encoding: str, indented: bool = False) -> str:
        """Return a value as JSON, masked and without harmful characters."""
        if self._masks:
            value = map_strings(value, self._masked)
        text = sanitize_json(json_text(value, encoding, indented))
        if self.to_github:
            from nostra_cli.output.github import escape_json

            return escape_json(text)
        return text

    def _command(self, name: str, text: str = "", title: str = "") -> None:
        from nostra_cli.output.github import command

        self._messages.line(command(name, text, title))

    def _escape(self, line: str) -> str:
        if self.to_github:
            from nostra_cli.output.github import escape_workflow_commands

            return escape_workflow_commands(line)
        return line

    def _message(self, line: str) -> None:
        line = self._escape(line)
        if self._live is not None:
            self._live.print_above(line)
        else:
            self._messages.line(line)

    def in_lines(self) -> None:
        """Write lines only, without redrawing; under GitHub Actions, use its commands."""
        self._live = None
        self.progress = Progress(self.info, None)
        self.to_github = self._env.get("GITHUB_ACTIONS") == "true"

    @contextmanager
    def job(self, command: str, ids: Sequence[str]) -> Iterator[None]:
        """Write for the log of a CI job, and report the outcome of `ids` to GitHub.

        A report that cannot be written is a warning.
        """
        self.in_lines()
        if not self.to_github:
            yield
            return
        from nostra_cli.output.github import Report, group_title

        name = f"nostra {command}"
        self._report = Report(name, ids, self._sanitize)
        grouped = not (self.options.quiet or self.options.json)
        if grouped:
            self._command("group", self._sanitize(group_title(name, ids)))
        try:
            yield
        except Exception as error:
            self._report.add_error(error)
            raise
        finally:
            if grouped:
                self._command("endgroup")
            if problem := self._report.write(self._env):
                self.warn(f"no report for GitHub Actions: {problem}")
