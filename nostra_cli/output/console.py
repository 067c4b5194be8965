"""The output of a command: data on stdout, messages on stderr, for a person or a script."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

from nostra_cli.errors import ExitCode, FileProblem, NostraError
from nostra_cli.output.messages import Messages
from nostra_cli.output.render import cells_of, table
from nostra_cli.output.streams import DataStream, OutputOptions, TextStream, use_color

if TYPE_CHECKING:
    from nostra_cli.doctor.check import Check
    from nostra_cli.models import JsonObject, JsonValue
    from nostra_cli.output.views import View
    from nostra_cli.preview.first_rows import Preview

T = TypeVar("T")


class Output(Messages):
    """The output of a command."""

    def __init__(
        self,
        options: OutputOptions,
        stdout: TextIO | None,
        stderr: TextIO | None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        """Write to these streams; None where the process was started without one."""
        super().__init__(options, stderr, env)
        self.data = DataStream(stdout, self._without_display)
        self._color_data = use_color(stdout, options.color, env)

    def _without_display(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if self._live is None else self._live.cleared()

    def show(
        self,
        view: View[T],
        items: Iterable[T | NostraError],
        in_table: Callable[[Sequence[T]], Sequence[T]] = list,
    ) -> ExitCode:
        """Show each item as soon as its form allows, and each error at once.

        A table is shown even if a signal ends it; `in_table` takes the items shown and returns
        those of the table. Returns the exit code of the first error, which may be an item or
        raised by `items`.
        """
        began = time.monotonic()
        shown: list[T] = []
        failures: list[NostraError] = []
        try:
            for item in items:
                if isinstance(item, NostraError):
                    failures.append(item)
                    self.error(item)
                else:
                    shown.append(item)
                    self._item(view, item)
        except NostraError as error:
            failures.append(error)
            self.error(error)
        except BaseException:
            # If the terminal is gone, that is why it ends: not worth another error.
            with contextlib.suppress(FileProblem, BrokenPipeError):
                self._collection(view, shown, in_table, empty=False)
            raise
        self._collection(view, shown, in_table, empty=not failures)
        if view.total is not None and len(shown) + len(failures) > 1:
            self._sum_up(view.total(shown, time.monotonic() - began), failures)
        return failures[0].code if failures else ExitCode.DONE

    def _item(self, view: View[T], item: T) -> None:
        if self._report is not None:
            self._report.add(view, item)
        if self._collects(view):
            return
        if self.options.json:
            self.document(view.as_json(item), one_line=True)
        else:
            self.data.line(self._row(view, item))

    def _collects(self, view: View[T]) -> bool:
        return not view.as_lines if self.options.json else self.data.terminal

    def _row(self, view: View[T], item: T) -> str:
        verbatim = view.bare and not self.data.terminal
        sanitize = str if verbatim else self._sanitize
        line = "\t".join(cells_of(view, item, self._color_data, sanitize))
        return line if view.bare else self._escape(line)

    def _collection(
        self,
        view: View[T],
        items: Sequence[T],
        in_table: Callable[[Sequence[T]], Sequence[T]],
        empty: bool,
    ) -> None:
        """Show the collected items; with `empty`, an empty JSON array for none."""
        if not self._collects(view):
            return
        if self.options.json:
            if items or empty:
                self.document([view.as_json(item) for item in items])
        elif view.bare:
            for item in items:
                self.data.line(self._row(view, item))
        elif (rows := in_table(items)) and self.data.stream is not None:
            for line in table(view, rows, self.data.stream, self._color_data, self._sanitize):
                self.data.line(self._escape(line))

    def _sum_up(self, total: str, failures: Sequence[NostraError]) -> None:
        self.info(f"{total}; {len(failures)} failed:" if failures else total)
        for failure in failures:
            self.info(f"  {failure.message}")

    def line(self, line: str) -> None:
        """Show a line of the service, neutralised."""
        self.data.line(self._escape(self._sanitize(line)))

    def document(self, value: JsonValue, one_line: bool = False) -> None:
        """Show a JSON value: indented on a terminal, unless `one_line`."""
        self.data.line(self._json(value, self.data.encoding, self.data.terminal and not one_line))

    def report(self, value: JsonObject) -> None:
        """Show a JSON object with `--json` only: a person gets a message instead."""
        if self.options.json:
            self.document(value)

    @contextlib.contextmanager
    def body(self) -> Iterator[DataStream | TextStream]:
        """Open stdout for the bytes of a result; on a terminal they become neutralised text."""
        if not self.data.terminal:
            yield self.data
            return
        text = TextStream(self.data)
        try:
            yield text
        finally:
            text.finish()

    def checks(self, checks: Iterable[Check]) -> ExitCode:
        """Show checks: to a person the problems, to a script (and with `--verbose`) all of them.

        Returns the exit code of an error that `checks` raises.
        """
        from nostra_cli.output import checks as checks_view
        from nostra_cli.output.views import CHECKS

        if self.options.json or not self.data.terminal:
            return self.show(CHECKS, checks)
        options = (self.options.verbose, self._color_data, self._sanitize)
        for line in checks_view.lines(list(checks), *options):
            self.data.line(self._escape(line))
        return ExitCode.DONE

    def preview(self, found: Preview) -> None:
        """Show the first rows of a result, its statistics, or both."""
        from nostra_cli.output import preview

        for warning in found.warnings:
            self.warn(warning)
        if self.options.json:
            self.document(preview.as_json(found))
        elif self.data.terminal and self.data.stream is not None:
            self.info(preview.title(found))
            for line in preview.drawn(found, self.data.stream, self._color_data, self._sanitize):
                self.data.line(line)
        else:
            for cells in preview.lines_of(found):
                self.data.line("\t".join(map(self._sanitize, cells)))
