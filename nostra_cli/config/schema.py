"""Describe a row of the table of settings, and resolve its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, overload

from nostra_cli.errors import UsageProblem

T = TypeVar("T")

DEFAULT = "default"
"""The origin of a value that nothing sets."""
_MAX_NUMBER = 1 << 53


class Kind(NamedTuple):
    """The values that a key of the config file accepts: in words, in TOML, as text."""

    words: str
    types: tuple[type, ...]
    from_text: Callable[[str], object]
    """Returns None for a text that is not of this kind."""

    def accepts(self, value: object) -> bool:
        """Return whether a value of the config file is of this kind."""
        if isinstance(value, list):
            sane = bool(value and value[0]) and all(isinstance(word, str) for word in value)
        else:
            sane = value != "" and not (isinstance(value, int) and abs(value) >= _MAX_NUMBER)
        return type(value) in self.types and sane


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _words(text: str) -> list[str] | None:
    import shlex

    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed
        return None


TEXT = Kind("a string that is not empty", (str,), str)
NUMBER = Kind("a whole number", (int,), _whole_number)
SWITCH = Kind("true or false", (bool,), {"true": True, "false": False}.get)
DURATION = Kind("a duration such as 90, 90s, 15m or 2h", (str, int, float), str)
COMMAND = Kind("a command: a list of words", (list,), _words)


class Variable(NamedTuple):
    """A variable of the environment that sets a setting; `parse` if not that of the setting."""

    name: str
    help: str
    parse: Callable[[Any], Any] | None = None


class Key(NamedTuple):
    """A key of the config file that sets a setting; `parse` if not that of the setting."""

    name: str
    kind: Kind
    parse: Callable[[Any], Any] | None = None


class Value(NamedTuple, Generic[T]):
    """The effective value of a setting, and its origin in words."""

    value: T
    origin: str


class Values(Protocol):
    """An object with the effective values by the names of the settings."""

    @property
    def values(self) -> Mapping[str, Value[Any]]: ...  # noqa: D102


class Setting(Generic[T]):
    """A row of the table; of an instance of the table it gives the effective value.

    `parse` raises UsageProblem or ValueError. Variables and keys come in order of precedence;
    `flag` is for people, the options of a command are in its signature.
    """

    def __init__(
        self,
        help: str,
        default: T,
        parse: Callable[[Any], T],
        *,
        flag: str = "",
        variables: tuple[Variable, ...] = (),
        keys: tuple[Key, ...] = (),
        default_text: str = "",
        default_origin: str = DEFAULT,
    ) -> None:
        """Describe it; `default_text` says in words what the default does."""
        self.help = help
        self.default = default
        self.parse = parse
        self.flag = flag
        self.variables = variables
        self.keys = keys
        self.default_text = default_text or str(default)
        self.default_origin = default_origin

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name of the attribute."""
        self.name = name

    @overload
    def __get__(self, settings: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, settings: Values, owner: type) -> Value[T]: ...
    def __get__(self, settings: Values | None, owner: type) -> Setting[T] | Value[T]:
        """Return the row of the class, the effective value of an instance."""
        return self if settings is None else settings.values[self.name]


class Sources(NamedTuple):
    """Where values may come from: attributes of `flags`, the environment, a table of the file.

    `place` says in words where `table` is; `keys_first` puts it before the environment; `fix` is
    the hint for a value that cannot be used.
    """

    flags: object
    env: Mapping[str, str]
    table: Mapping[str, object]
    place: str
    keys_first: bool = False
    fix: str = "fix it or remove it"

    def value(self, row: Setting[T]) -> Value[T]:
        """Resolve a setting; raises UsageProblem that names the origin of an unusable value."""
        keys = [key for key in row.keys if key.name in self.table]
        if len(keys) > 1:
            names = " and ".join(key.name for key in keys)
            fix = f"remove one of them: nostra config unset {keys[-1].name}"
            raise UsageProblem(f"both {names} {self.place}", fix)
        for key in keys:  # also where something else comes first: the file has to be valid
            if not key.kind.accepts(self.table[key.name]):
                fix = f"fix it, or: nostra config unset {key.name}"
                raise UsageProblem(f"{key.name} {self.place} must be {key.kind.words}", fix)
        flag = getattr(self.flags, row.name, None)
        if flag is not None:
            return self._parsed(row.parse, flag, f"flag {row.flag}")
        sources = [self._from_environment, self._from_file]
        for source in reversed(sources) if self.keys_first else sources:
            if (found := source(row)) is not None:
                return found
        return Value(row.default, row.default_origin)

    def _from_environment(self, row: Setting[T]) -> Value[T] | None:
        for variable in row.variables:
            if text := self.env.get(variable.name):
                origin = f"environment {variable.name}"
                return self._parsed(variable.parse or row.parse, text, origin)
        return None

    def _from_file(self, row: Setting[T]) -> Value[T] | None:
        for key in row.keys:
            if key.name in self.table:
                origin = f"{key.name} {self.place}"
                return self._parsed(key.parse or row.parse, self.table[key.name], origin)
        return None

    def _parsed(self, parse: Callable[[Any], T], value: object, origin: str) -> Value[T]:
        try:
            return Value(parse(value), origin)
        except UsageProblem as problem:
            raise UsageProblem(f"{origin}: {problem.message}", problem.hint) from problem
        except ValueError as error:
            raise UsageProblem(f"{origin}: {error}", self.fix) from error
