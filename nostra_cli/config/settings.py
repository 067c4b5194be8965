"""The settings: one table, and every value with its origin.

A new setting is one attribute of `Settings`: reading it, `nostra config`, `nostra doctor`, the man
page and the README's table follow from that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

from nostra_cli.config import file as config_file
from nostra_cli.config.credentials import (
    DEFAULT_BASE_URL,
    Token,
    TokenCommand,
    check_base_url,
    check_token,
    read_token_file,
)
from nostra_cli.config.file import ConfigFile, ConfigWarning
from nostra_cli.config.schema import (
    COMMAND,
    DEFAULT,
    DURATION,
    NUMBER,
    SWITCH,
    TEXT,
    Key,
    Setting,
    Sources,
    Value,
    Variable,
)
from nostra_cli.errors import AuthProblem, UsageProblem
from nostra_cli.models import Format, decode_text
from nostra_cli.units import parse_duration, parse_size

T = TypeVar("T")

NOT_SET = "not set"
DEFAULT_PROFILE = "default"
MAX_JOBS = 64
Problems = dict[str, UsageProblem]


class Flags(NamedTuple):
    """What the command line says of settings; None where it is silent."""

    profile: str | None = None
    base_url: str | None = None


def check_jobs(number: int) -> int:
    """Return a number of jobs; raises ValueError if it is out of range."""
    if not 1 <= number <= MAX_JOBS:
        raise ValueError(f"not a number from 1 to {MAX_JOBS}")
    return number


def _format(text: str) -> Format:
    if text not in set(Format):
        raise ValueError(f"not one of {', '.join(Format)}")
    return Format(text)


def _folder(text: str) -> str:
    if "\0" in text:
        raise ValueError("a path has no NUL character")
    return text if "://" in text else str(config_file.expand_home(text))


def _duration(value: object) -> float:
    return parse_duration(str(value))


class Settings:
    """The table of the settings; an instance holds the effective value of each."""

    profile = Setting(
        "Profile of the config file",
        DEFAULT_PROFILE,
        decode_text,
        flag="--profile",
        variables=(Variable("NOSTRA_PROFILE", "The profile of the config file."),),
        keys=(Key("default_profile", TEXT),),
    )
    base_url = Setting(
        "Base URL of the service",
        DEFAULT_BASE_URL,
        check_base_url,
        flag="--base-url",
        variables=(Variable("NOSTRA_BASE_URL", f"The service; by default {DEFAULT_BASE_URL}."),),
        keys=(Key("base_url", TEXT),),
    )
    token = Setting[Token | TokenCommand | None](
        "Token",
        None,
        check_token,
        variables=(
            Variable("NOSTRA_TOKEN", "The token."),
            Variable(
                "NOSTRA_TOKEN_FILE",
                "A file that holds the token, if NOSTRA_TOKEN is not set.",
                read_token_file,
            ),
        ),
        keys=(
            Key("token", TEXT),
            Key("token_command", COMMAND, lambda words: TokenCommand(tuple(words))),
        ),
        default_text="none",
        default_origin=NOT_SET,
    )
    format = Setting[Format | None](
        "Format",
        None,
        _format,
        flag="--format",
        keys=(Key("format", TEXT),),
        default_text="the first available of json, csv, xlsx",
    )
    dir = Setting(
        "Output directory",
        ".",
        _folder,
        flag="--dir",
        keys=(Key("dir", TEXT),),
        default_text="the current one",
    )
    jobs = Setting(
        "Parallel requests and transfers", 8, check_jobs, flag="--jobs", keys=(Key("jobs", NUMBER),)
    )
    timeout = Setting[float | None](
        "Deadline",
        None,
        _duration,
        flag="--timeout",
        keys=(Key("timeout", DURATION),),
        default_text="none",
    )
    ci = Setting(
        "Output for CI jobs",
        False,
        bool,
        flag="--ci",
        keys=(Key("ci", SWITCH),),
        default_text="false",
    )
    history = Setting(
        "Remember ids for completion",
        True,
        bool,
        keys=(Key("history", SWITCH),),
        default_text="true",
    )
    low_speed_limit = Setting(
        "Minimum speed of a transfer",
        1024,
        parse_size,
        variables=(
            Variable(
                "NOSTRA_LOW_SPEED_LIMIT",
                "The minimum speed of a transfer, in bytes a second; by default 1KiB.",
            ),
        ),
        default_text="1 KiB/s",
    )
    low_speed_time = Setting(
        "How long a transfer may be slower",
        30.0,
        parse_duration,
        variables=(
            Variable("NOSTRA_LOW_SPEED_TIME", "How long a transfer may be slower; by default 30s."),
        ),
        default_text="30 s",
    )

    def __init__(self, config: ConfigFile, values: dict[str, Value[Any]]) -> None:
        """Hold the effective values by the names of the settings."""
        self.config = config
        self.values = values
        self._token: Token | None = None

    def require_token(self, show_stderr: bool = True) -> Token:
        """Return the token; a token_command is run once, its stderr shown if `show_stderr`.

        Raises AuthProblem that says how to set one, UsageProblem for a command that fails.
        """
        source = self.token.value
        if isinstance(source, TokenCommand):
            if self._token is None:
                hint = f"run it by hand to see why; it is {self.token.origin}"
                self._token = source.run(hint, show_stderr)
            return self._token
        if source is None:
            raise AuthProblem(
                f"no token for profile {self.profile.value!r}",
                f"store one with: nostra login{self.profile_option}; "
                "or set NOSTRA_TOKEN (or NOSTRA_TOKEN_FILE)",
            )
        return source

    @property
    def profile_option(self) -> str:
        """The flag that names the profile again, if it was named by the flag."""
        import shlex

        named = self.profile.origin.startswith("flag")
        return f" --profile {shlex.quote(self.profile.value)}" if named else ""


TABLE: tuple[Setting[Any], ...] = tuple(
    row for row in vars(Settings).values() if isinstance(row, Setting)
)


class LoginTarget(NamedTuple):
    """The profile that a token is stored in, with `base_url` if `keep_base_url` says so."""

    profile: Value[str]
    base_url: Value[str]
    keep_base_url: bool


def load(flags: Flags, env: Mapping[str, str], problems: Problems | None = None) -> Settings:
    """Resolve every setting.

    Raises UsageProblem for a value that cannot be used; it names the origin and never the token.
    With `problems` nothing is raised: each goes in there by the name of its setting (or `config`
    for the file), and the default is used.
    """

    def attempt(name: str, resolve: Callable[[], T], default: T) -> T:
        try:
            return resolve()
        except UsageProblem as problem:
            if problems is None:
                raise
            problems[name] = problem
            return default

    file = attempt("config", lambda: config_file.read(env), config_file.empty(env))
    default_profile = Value(DEFAULT_PROFILE, DEFAULT)
    profile = attempt("profile", partial(_profile, flags, env, file), default_profile)
    if profile.value not in (*file.profiles, DEFAULT_PROFILE):
        missing = config_file.no_profile(profile.value, file.path, file.profiles, profile.origin)
        if problems is None:
            raise missing
        problems["profile"] = missing
    sources = _sources(flags, env, file, profile)
    values: dict[str, Value[Any]] = {Settings.profile.name: profile}
    for row in TABLE[1:]:
        default = Value(row.default, DEFAULT)
        values[row.name] = attempt(row.name, partial(sources.value, row), default)
    warnings = (*file.warnings, *_unknown_keys(file))
    return Settings(file._replace(warnings=warnings), values)


def _profile(flags: Flags, env: Mapping[str, str], file: ConfigFile) -> Value[str]:
    return Sources(flags, env, file.top_level, f"in {file.path}").value(Settings.profile)


def _sources(
    flags: Flags, env: Mapping[str, str], file: ConfigFile, profile: Value[str]
) -> Sources:
    table = file.profiles.get(profile.value, {})
    place = f"in profile {profile.value!r} of {file.path}"
    return Sources(flags, env, table, place, keys_first=flags.profile is not None)


def _unknown_keys(file: ConfigFile) -> Iterator[ConfigWarning]:
    known = {key.name for row in TABLE[1:] for key in row.keys}
    for name, profile in file.profiles.items():
        for key in profile:
            if key not in known:
                message = f"unknown key {key!r} in profile {name!r} of {file.path}"
                yield ConfigWarning(message, config_file.UNKNOWN_FIX)


def login_target(flags: Flags, env: Mapping[str, str]) -> LoginTarget:
    """Return where a token is to be stored, also for a new profile.

    Raises UsageProblem as `load`, and for a profile whose token comes from a command.
    """
    file = config_file.read(env)
    profile = _profile(flags, env, file)
    sources = _sources(flags, env, file, profile)
    config_file.check_name(profile.value)
    if "token_command" in sources.table:
        raise UsageProblem(
            f"profile {profile.value!r} has a token_command, so no token can be stored in it",
            f"remove it first: nostra config unset token_command --profile {profile.value}",
        )
    base_url = sources.value(Settings.base_url)
    own = Sources(Flags(), {}, sources.table, sources.place).value(Settings.base_url)
    return LoginTarget(profile, base_url, base_url.value != own.value)
