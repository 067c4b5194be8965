"""Values and errors to the streams: tables for a person, TSV or JSON for a script."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO, TypeVar

from nostra_cli.errors import ExitCode, NostraError
from nostra_cli.output.sanitize import sanitize, sanitize_json
from nostra_cli.output.streams import DataStream, MessageStream, OutputOptions, use_color

if TYPE_CHECKING:
    from nostra_cli.models import JsonObject, JsonValue
    from nostra_cli.output.github import Report
    from nostra_cli.output.progress import Bar, Bars, Spinner
    from nostra_cli.output.views import View
    from nostra_cli.preview.first_rows import Preview

T = TypeVar("T")

_ANSI = {"completed": "32", "failed": "31", "in_progress": "33", "error": "1;31", "hint": "2"}


class Output:
    """The one way out of the program."""

    def __init__(
        self,
        look: OutputOptions,
        stdout: TextIO | None,
        stderr: TextIO | None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        """Show things as `look` asks, on the streams handed in."""
        self.look = look
        self.data = DataStream(stdout)
        self._messages = MessageStream(stderr, env)
        self._color_data = use_color(stdout, look.color, env)
        self._color_messages = use_color(stderr, look.color, env)
        self._live: Spinner | Bars | None = None
        self._env = env
        self._in_lines = False
        self.to_github = False  # whether a line on either stream could be a command of its runner
        self._report: Report | None = None
        self._secrets: list[str] = []

    def mask(self, secret: str) -> None:
        """Show `***` in place of this text from now on, whoever says it."""
        self._secrets.append(secret)

    def _sanitize(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return sanitize(text)

    def show(
        self,
        view: View[T],
        items: Iterable[T | NostraError],
        unfinished: Callable[[], Iterable[T]] = tuple,
    ) -> ExitCode:
        """Show each item as soon as its form allows, and each error when it comes.

        Gives the exit code of the first error, be it an item or raised by `items`. What was
        collected is shown also when a signal ends it in the middle, then the `unfinished` items.
        """
        kept: list[T] = []
        code = ExitCode.DONE
        collecting = not view.as_lines if self.look.json else self.data.terminal
        complete = False
        try:
            for item in items:
                if isinstance(item, NostraError):
                    code = code or item.code
                    self.error(item)
                    continue
                if self._report is not None:
                    self._report.add(view, item)
                if collecting:
                    kept.append(item)
                elif self.look.json:
                    self.document(view.as_json(item), one_line=True)
                else:
                    self._row(view, item)
            complete = not code
        except NostraError as error:
            code = code or error.code
            self.error(error)
        finally:
            if collecting:
                kept += unfinished()
            if collecting and (kept or complete):
                self._collection(view, kept)
        return code

    def _collection(self, view: View[T], items: list[T]) -> None:
        if self.look.json:
            self.document([view.as_json(item) for item in items])
        elif view.bare:
            for item in items:
                self._row(view, item)
        elif items and self.data.stream is not None:
            from nostra_cli.output.tables import render  # rich, for a person only

            def sanitize(cell: str) -> str:
                return self._harmless(self._sanitize(cell))

            render(view, items, self.data.stream, self._color_data, sanitize)

    def line(self, line: str) -> None:
        """Show one line of the service's, made harmless."""
        self.data.line(self._harmless(self._sanitize(line)))

    def document(self, value: JsonValue, one_line: bool = False) -> None:
        """Show one JSON value: laid out on a terminal unless it is to be one line."""
        import json

        indent = 2 if self.data.terminal and not one_line else None
        text = json.dumps(value, ensure_ascii=False, indent=indent)
        self.data.line(self._clean_json(text))

    def _row(self, view: View[T], item: T) -> None:
        cells = list(view.row(item))
        if not view.bare or self.data.terminal:
            cells = [self._sanitize(cell) for cell in cells]
        if self._color_data and "status" in view.columns:
            place = view.columns.index("status")
            cells[place] = _painted(cells[place], view.outcome(cells[place]))
        line = "\t".join(cells)
        self.data.line(line if view.bare else self._harmless(line))

    def preview(self, found: Preview) -> None:
        """Show the first rows of a result, or what is known of the whole of it."""
        from nostra_cli.output import preview

        for warning in found.warnings:
            self.warn(warning)
        if self.look.json:
            self.document(preview.as_json(found))
        elif self.data.terminal and self.data.stream is not None:
            self.info(preview.title(found))
            for line in preview.drawn(found, self.data.stream, self._color_data, self._sanitize):
                self.data.line(line)
        else:
            for cells in preview.lines_of(found):
                self.data.line("\t".join(map(self._sanitize, cells)))

    def exports(self, variables: Mapping[str, str]) -> None:
        """Show variables as lines that a shell can read, or as one JSON object."""
        if self.look.json:
            self.document(dict(variables))
            return
        import shlex

        for name, value in variables.items():
            self.data.line(f"export {name}={shlex.quote(value)}")

    def report(self, value: JsonObject) -> None:
        """Show what was done as one JSON object, if JSON is asked for: a person is told of it."""
        if self.look.json:
            self.document(value)

    def error(self, error: NostraError) -> None:
        """Tell of an error, in one or two lines or as one JSON object."""
        if self._report is not None:
            self._report.add_error(error)
        if self.look.json:
            from nostra_cli.output.views import error_json

            self._say_json({"error": error_json(error)})
            return
        from nostra_cli.output.views import advice

        self._announce("error", error.message)
        if hint := advice(error):
            self._say(f"{self._word('hint')}: {self._sanitize(hint)}")

    def warn(self, text: str) -> None:
        """Tell of something that is not right but does not stop the work."""
        if self.look.quiet:
            return
        if self.look.json:
            self._say_json({"warning": text})
        else:
            self._announce("warning", text)

    def info(self, text: str) -> None:
        """Tell how things go on; not with `--quiet`, and not with `--json`."""
        if not (self.look.quiet or self.look.json):
            self._say(self._sanitize(text))

    def trace(self, text: str) -> None:
        """Tell of a step of HTTP (`--verbose`)."""
        self._say(self._sanitize(text))

    def _say_json(self, value: JsonObject) -> None:
        import json

        self._say(self._clean_json(json.dumps(value, ensure_ascii=False)))

    def _clean_json(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret.replace("\\", "\\\\").replace('"', '\\"'), "***")
        text = sanitize_json(text)
        if self.to_github:
            from nostra_cli.output.github import harmless_json

            return harmless_json(text)
        return text

    def _word(self, word: str) -> str:
        return _painted(word, word) if self._color_messages and word in _ANSI else word

    def _announce(self, word: str, text: str) -> None:
        if self.to_github:
            self._command(word, text)
        else:
            self._say(f"{self._word(word)}: {self._sanitize(text)}")

    def _command(self, name: str, text: str = "") -> None:
        from nostra_cli.output.github import command

        self._messages.line(command(name, self._sanitize(text)))

    def _harmless(self, line: str) -> str:
        if self.to_github:
            from nostra_cli.output.github import harmless

            return harmless(line)
        return line

    def _say(self, line: str) -> None:
        line = self._harmless(line)
        if self._live is not None:
            self._live.print_above(line)
        else:
            self._messages.line(line)

    def in_lines(self) -> None:
        """Redraw nothing from now on; under GitHub Actions, use its commands."""
        self._in_lines = True
        self.to_github = self._env.get("GITHUB_ACTIONS") == "true"

    @contextmanager
    def job(self, command: str, ids: Sequence[str]) -> Iterator[None]:
        """Talk as the log of a CI job takes it, and at the end tell GitHub what became of `ids`.

        Where that cannot be told there is a warning.
        """
        self.in_lines()
        if not self.to_github:
            yield
            return
        from nostra_cli.output.github import Report, title

        self._report = Report(command, ids, self._sanitize)
        grouped = not (self.look.quiet or self.look.json)
        if grouped:
            self._command("group", title(f"nostra {command}", ids))
        try:
            yield
        except Exception as error:
            self._report.add_error(error)
            raise
        finally:
            if grouped:
                self._command("endgroup")
            if problem := self._report.write(self._env):
                self.warn(f"GitHub Actions was not told how it ended: {problem}")

    def spinner(self) -> Spinner:
        """Make a watcher of a wait: a spinner on a terminal, plain lines elsewhere."""
        from nostra_cli.output.progress import Spinner

        return Spinner(self.info, self._live_stream(), self._color_messages)

    def bars(self) -> Bars:
        """Make the progress of transfers: bars on a terminal, a line each minute elsewhere."""
        from nostra_cli.output.progress import Bars

        return Bars(self.info, self._live_stream(), self._color_messages)

    @contextmanager
    def showing(self, live: Spinner | Bars) -> Iterator[None]:
        """Redraw `live` at the end of the terminal while the block lasts."""
        try:
            with live:
                self._live = live if live.live else None
                yield
        finally:
            self._live = None

    def during(self, live: Spinner | Bars, items: Iterator[T]) -> Iterator[T]:
        """Give `items`, and redraw `live` only while the next one is waited for."""
        while True:
            with self.showing(live):
                item = next(items, None)
            if item is None:
                return
            yield item

    @contextmanager
    def transfers(self) -> Iterator[Callable[[str], AbstractContextManager[Bar]]]:
        """Show transfers while the block lasts; what it gives makes the meter of one of them."""
        bars = self.bars()
        with self.showing(bars):
            yield bars.meter

    def _live_stream(self) -> TextIO | None:
        look = self.look
        plain = look.quiet or look.json or look.verbose or self._in_lines
        return self._messages.stream if self._messages.live and not plain else None


def _painted(text: str, name: str) -> str:
    return f"\x1b[{_ANSI[name]}m{text}\x1b[0m"
