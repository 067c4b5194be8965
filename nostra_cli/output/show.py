"""Values and errors to the streams: tables for a person, TSV or JSON for a script."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO, TypeVar

from nostra_cli.errors import ExitCode, NostraError
from nostra_cli.output.streams import DataStream, Look, TalkStream, colored
from nostra_cli.output.text import clean

if TYPE_CHECKING:
    from nostra_cli.models import JsonObject
    from nostra_cli.output.progress import Bar, Bars, Spinner
    from nostra_cli.output.views import View
    from nostra_cli.preview.reading import Preview

T = TypeVar("T")

_ANSI = {"completed": "32", "failed": "31", "in_progress": "33", "error": "1;31", "hint": "2"}


class Output:
    """The one way out of the program."""

    def __init__(
        self,
        look: Look,
        stdout: TextIO | None,
        stderr: TextIO | None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        """Show things as `look` asks, on the streams handed in."""
        self.look = look
        self.data = DataStream(stdout)
        self._talk = TalkStream(stderr, env)
        self._color_data = colored(stdout, look.color, env)
        self._color_talk = colored(stderr, look.color, env)
        self._live: Spinner | Bars | None = None
        self._secrets: list[str] = []

    def hide(self, secret: str) -> None:
        """Show `***` in place of this text from now on, whoever says it."""
        self._secrets.append(secret)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return clean(text)

    def show(self, view: View[T], items: Iterable[T | NostraError]) -> ExitCode:
        """Show each item as soon as its form allows, and each error when it comes.

        Gives the exit code of the first error, be it an item or raised by `items`. What was
        collected is shown also when a signal ends it in the middle.
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
                elif collecting:
                    kept.append(item)
                elif self.look.json:
                    self._json(view.as_json(item))
                else:
                    self._row(view, item)
            complete = not code
        except NostraError as error:
            code = code or error.code
            self.error(error)
        finally:
            if collecting and (kept or complete):
                self._collection(view, kept)
        return code

    def _collection(self, view: View[T], items: list[T]) -> None:
        if self.look.json:
            self._json([view.as_json(item) for item in items])
        elif view.bare:
            for item in items:
                self._row(view, item)
        elif items and self.data.stream is not None:
            from nostra_cli.output.tables import render  # rich, for a person only

            render(view, items, self.data.stream, self._color_data, self._clean)

    def _json(self, value: JsonObject | list[JsonObject]) -> None:
        import json

        text = json.dumps(value, ensure_ascii=False, indent=2 if self.data.terminal else None)
        self.data.line(self._clean_json(text))

    def _row(self, view: View[T], item: T) -> None:
        cells = list(view.row(item))
        if not view.bare or self.data.terminal:
            cells = [self._clean(cell) for cell in cells]
        if self._color_data and "status" in view.columns:
            from nostra_cli.models import outcome_of

            place = view.columns.index("status")
            cells[place] = _painted(cells[place], outcome_of(cells[place]))
        self.data.line("\t".join(cells))

    def preview(self, found: Preview) -> None:
        """Show the first rows of a result, or what is known of the whole of it."""
        from nostra_cli.output import preview

        for warning in found.warnings:
            self.warn(warning)
        if self.look.json:
            self._json(preview.as_json(found))
        elif self.data.terminal and self.data.stream is not None:
            from nostra_cli.output.fitted import page_of  # rich, for a person only

            self.talk(preview.title(found))
            page = page_of(self.data.stream, self._color_data, self._clean)
            for line in preview.drawn(found, page):
                self.data.line(line)
        else:
            for cells in preview.lines_of(found):
                self.data.line("\t".join(map(self._clean, cells)))

    def exports(self, variables: Mapping[str, str]) -> None:
        """Show variables as lines that a shell can read, or as one JSON object."""
        if self.look.json:
            self._json(dict(variables))
            return
        import shlex

        for name, value in variables.items():
            self.data.line(f"export {name}={shlex.quote(value)}")

    def error(self, error: NostraError) -> None:
        """Tell of an error, in one or two lines or as one JSON object."""
        notes = [str(note) for note in getattr(error, "__notes__", ())]
        hint = "; ".join([*notes, error.hint] if error.hint else notes)
        if self.look.json:
            described: JsonObject = {
                "code": int(error.code),
                "kind": error.kind,
                "message": error.message,
                "hint": hint,
            }
            self._say_json({"error": described})
            return
        self._say(f"{self._word('error')}: {self._clean(error.message)}")
        if hint:
            self._say(f"{self._word('hint')}: {self._clean(hint)}")

    def warn(self, text: str) -> None:
        """Tell of something that is not right but does not stop the work."""
        if self.look.quiet:
            return
        if self.look.json:
            self._say_json({"warning": text})
        else:
            self._say(f"warning: {self._clean(text)}")

    def talk(self, text: str) -> None:
        """Tell how things go on; not with `--quiet`, and not with `--json`."""
        if not (self.look.quiet or self.look.json):
            self._say(self._clean(text))

    def trace(self, text: str) -> None:
        """Tell of a step of HTTP (`--verbose`)."""
        self._say(self._clean(text))

    def _say_json(self, value: JsonObject) -> None:
        import json

        self._say(self._clean_json(json.dumps(value, ensure_ascii=False)))

    def _clean_json(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret.replace("\\", "\\\\").replace('"', '\\"'), "***")
        return clean_json(text)

    def _word(self, word: str) -> str:
        return f"\x1b[{_ANSI[word]}m{word}\x1b[0m" if self._color_talk else word

    def _say(self, line: str) -> None:
        if self._live is not None:
            self._live.print_above(line)
        else:
            self._talk.line(line)

    def spinner(self) -> Spinner:
        """Make a watcher of a wait: a spinner on a terminal, plain lines elsewhere."""
        from nostra_cli.output.progress import Spinner

        return Spinner(self.talk, self._live_stream(), self._color_talk)

    def bars(self) -> Bars:
        """Make the progress of transfers: bars on a terminal, a line each minute elsewhere."""
        from nostra_cli.output.progress import Bars

        return Bars(self.talk, self._live_stream(), self._color_talk)

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
        quiet = self.look.quiet or self.look.json or self.look.verbose
        return self._talk.stream if self._talk.live and not quiet else None


def clean_json(text: str) -> str:
    r"""Give JSON text with harmful characters as JSON escapes: the value stays the same."""
    text = text.replace("\x7f", "\\u007f")  # the one control character that JSON leaves alone
    if text.isascii():
        return text
    import json

    return "".join(json.dumps(c)[1:-1] if not c.isascii() and clean(c) != c else c for c in text)


def _painted(text: str, name: str) -> str:
    return f"\x1b[{_ANSI[name]}m{text}\x1b[0m"
