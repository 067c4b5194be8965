"""Flag, environment, profile, default: one resolver a setting, each value with its origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from nostra_cli.config import profiles as config
from nostra_cli.config.base_url import DEFAULT_BASE_URL, check_base_url
from nostra_cli.config.tokens import Token, check_token, read_token_file
from nostra_cli.errors import AuthProblem, UsageProblem, resolve_or_collect
from nostra_cli.models import Format
from nostra_cli.units import parse_duration, parse_size

T = TypeVar("T")

DEFAULT = "default"
"""The origin of what nobody has said anything about."""
NOT_SET = "not set"
DEFAULT_JOBS = 8
MOST_JOBS = 64
Problems = dict[str, UsageProblem] | None


class Setting(NamedTuple, Generic[T]):
    """A value and where it came from, in words for a person."""

    value: T
    origin: str


class Flags(NamedTuple):
    """What the command line says of settings; None where it is silent."""

    profile: str | None = None
    base_url: str | None = None


class Settings(NamedTuple):
    """Every effective setting with its origin."""

    profile: Setting[str]
    base_url: Setting[str]
    token: Setting[Token | None]
    format: Setting[Format | None]
    dir: Setting[str]
    jobs: Setting[int]
    timeout: Setting[float | None]
    ci: Setting[bool]
    history: Setting[bool]
    low_speed_limit: Setting[int]
    low_speed_time: Setting[float]
    config: config.Config

    def require_token(self) -> Token:
        """Give the token, or raise AuthProblem that says how to set one."""
        if self.token.value is None:
            raise AuthProblem(
                f"no token for profile {self.profile.value!r}",
                f"store one with: nostra login{self._profile_again()}; "
                "or set NOSTRA_TOKEN (or NOSTRA_TOKEN_FILE)",
            )
        return self.token.value

    def _profile_again(self) -> str:
        import shlex

        named = self.profile.origin.startswith("flag")
        return f" --profile {shlex.quote(self.profile.value)}" if named else ""


class Target(NamedTuple):
    """Where a token is to be stored, and the service it is for.

    `apart` says that the profile would use another base URL, so that it has to keep this one too.
    """

    profile: Setting[str]
    base_url: Setting[str]
    apart: bool


class _Sources(NamedTuple):
    flags: Flags
    env: Mapping[str, str]
    profile: config.Profile
    profile_origin: str
    profile_first: bool

    def in_env(self, name: str) -> Setting[str] | None:
        text = self.env.get(name, "")
        return Setting(text, f"environment {name}") if text else None

    def in_profile(self, key: str) -> Setting[str] | None:
        if key not in self.profile:
            return None
        return Setting(str(self.profile[key]), f"{key} {self.profile_origin}")

    def own_base_url(self) -> str:
        """Give what the profile would use if neither flag nor environment said anything."""
        stored = self.in_profile("base_url")
        return stored.value.strip().rstrip("/") if stored else DEFAULT_BASE_URL

    def first(
        self,
        from_env: Callable[[], Setting[str] | None],
        from_profile: Callable[[], Setting[str] | None],
    ) -> Setting[str] | None:
        order = (from_profile, from_env) if self.profile_first else (from_env, from_profile)
        return order[0]() or order[1]()


def load(flags: Flags, env: Mapping[str, str], problems: Problems = None) -> Settings:
    """Resolve every setting.

    Raises UsageProblem for a value that cannot be used; it names the origin and never the token.
    With `problems` nothing is raised: each goes in there, by the name of its setting (or `config`
    for the file), and the default stands in.
    """
    empty = config.Config(config.config_path(env), None, {})
    file = resolve_or_collect(problems, "config", lambda: config.read(env), lambda: empty)
    profile = _profile(flags, env, file)
    if profile.value not in file.profiles and profile.origin != DEFAULT:
        whence = f" (from {profile.origin})"
        missing = config.no_profile(profile.value, file.path, file.profiles, whence)
        if problems is None:
            raise missing
        problems["profile"] = missing
    return _resolved(profile, _sources(flags, env, file, profile), file, problems)


def _sources(
    flags: Flags, env: Mapping[str, str], file: config.Config, profile: Setting[str]
) -> _Sources:
    return _Sources(
        flags,
        env,
        file.profiles.get(profile.value, {}),
        f"in profile {profile.value!r} of {file.path}",
        profile_first=flags.profile is not None,
    )


def _resolved(
    profile: Setting[str], sources: _Sources, file: config.Config, problems: Problems = None
) -> Settings:
    nothing = _Sources(Flags(), {}, {}, "", profile_first=False)

    def of(name: str, resolve: Callable[[_Sources], T]) -> T:
        return resolve_or_collect(
            problems, name, lambda: resolve(sources), lambda: resolve(nothing)
        )

    return Settings(
        profile=profile,
        base_url=of("base_url", _base_url),
        token=of("token", _token),
        format=of("format", _format),
        dir=of("dir", _dir),
        jobs=of("jobs", _jobs),
        timeout=of("timeout", _timeout),
        ci=of("ci", partial(_switch, "ci", False)),
        history=of("history", partial(_switch, "history", True)),
        low_speed_limit=of("low_speed_limit", _low_speed_limit),
        low_speed_time=of("low_speed_time", _low_speed_time),
        config=file,
    )


def login_target(flags: Flags, env: Mapping[str, str]) -> Target:
    """Tell where a token is to be stored, also a profile to come; raises UsageProblem as `load`."""
    file = config.read(env)
    profile = _profile(flags, env, file)
    config.check_name(profile.value)
    sources = _sources(flags, env, file, profile)
    base_url = _base_url(sources)
    return Target(profile, base_url, base_url.value != sources.own_base_url())


def check_value(key: str, value: config.Value) -> None:
    """Raise UsageProblem for what cannot be the value of a key in a profile."""
    typed = _Sources(Flags(), {}, {key: value}, "on the command line", profile_first=True)
    nothing = config.Config(Path(), None, {})
    _resolved(Setting(config.DEFAULT_PROFILE, DEFAULT), typed, nothing)


def named_profile(flags: Flags, env: Mapping[str, str]) -> Setting[str] | None:
    """--profile > NOSTRA_PROFILE; None leaves it to the file."""
    if flags.profile is not None:
        return Setting(flags.profile, "flag --profile")
    named = env.get("NOSTRA_PROFILE")
    return Setting(named, "environment NOSTRA_PROFILE") if named else None


def _profile(flags: Flags, env: Mapping[str, str], file: config.Config) -> Setting[str]:
    """--profile > NOSTRA_PROFILE > default_profile > `default`."""
    if named := named_profile(flags, env):
        return named
    if file.default_profile is not None:
        return Setting(file.default_profile, f"default_profile in {file.path}")
    return Setting(config.DEFAULT_PROFILE, DEFAULT)


def _base_url(sources: _Sources) -> Setting[str]:
    """--base-url > NOSTRA_BASE_URL > profile > the service; an explicit --profile before env."""
    found = (
        Setting(sources.flags.base_url, "flag --base-url")
        if sources.flags.base_url is not None
        else sources.first(
            lambda: sources.in_env("NOSTRA_BASE_URL"), lambda: sources.in_profile("base_url")
        )
    )
    if found is None:
        return Setting(DEFAULT_BASE_URL, DEFAULT)
    return Setting(check_base_url(found.value, found.origin), found.origin)


def _token(sources: _Sources) -> Setting[Token | None]:
    """NOSTRA_TOKEN > NOSTRA_TOKEN_FILE > profile; an explicit --profile before the environment."""
    found = sources.first(
        lambda: sources.in_env("NOSTRA_TOKEN") or _token_file(sources),
        lambda: sources.in_profile("token"),
    )
    if found is None:
        return Setting(None, NOT_SET)
    return Setting(check_token(found.value, found.origin), found.origin)


def _token_file(sources: _Sources) -> Setting[str] | None:
    named = sources.in_env("NOSTRA_TOKEN_FILE")
    if named is None:
        return None
    return Setting(read_token_file(named.value), f"{named.origin}, file {named.value}")


def _format(sources: _Sources) -> Setting[Format | None]:
    """Profile only; the command's own option comes before it."""
    found = sources.in_profile("format")
    if found is None:
        return Setting(None, DEFAULT)
    try:
        return Setting(Format(found.value), found.origin)
    except ValueError as error:
        raise UsageProblem(
            f"{found.origin} is not a format", "choose one of json, csv, xlsx"
        ) from error


def _dir(sources: _Sources) -> Setting[str]:
    """Profile > the current directory; the command's own option comes before it."""
    found = sources.in_profile("dir")
    if found is None:
        return Setting(".", DEFAULT)
    path = found.value if "://" in found.value else str(Path(found.value).expanduser())
    return Setting(path, found.origin)


def _jobs(sources: _Sources) -> Setting[int]:
    """Profile > 8; the command's own option comes before it."""
    found = sources.in_profile("jobs")
    if found is None:
        return Setting(DEFAULT_JOBS, DEFAULT)
    return Setting(check_jobs(int(found.value), found.origin), found.origin)


def _timeout(sources: _Sources) -> Setting[float | None]:
    """Profile > no deadline; the command's own option comes before it."""
    found = sources.in_profile("timeout")
    return _parsed(found, parse_duration) if found else Setting(None, DEFAULT)


def _switch(key: str, default: bool, sources: _Sources) -> Setting[bool]:
    """Profile > default; a command's own option comes before it."""
    found = sources.in_profile(key)
    return Setting(found.value == "True", found.origin) if found else Setting(default, "default")


def _low_speed_limit(sources: _Sources) -> Setting[int]:
    """NOSTRA_LOW_SPEED_LIMIT > 1 KiB; in bytes a second."""
    found = sources.in_env("NOSTRA_LOW_SPEED_LIMIT")
    return _parsed(found, parse_size) if found else Setting(1024, DEFAULT)


def _low_speed_time(sources: _Sources) -> Setting[float]:
    """NOSTRA_LOW_SPEED_TIME > 30 s; in seconds."""
    found = sources.in_env("NOSTRA_LOW_SPEED_TIME")
    return _parsed(found, parse_duration) if found else Setting(30.0, DEFAULT)


def _parsed(found: Setting[str], parse: Callable[[str], T]) -> Setting[T]:
    try:
        return Setting(parse(found.value), found.origin)
    except ValueError as error:
        raise UsageProblem(f"{found.origin}: {error}", "mend it or remove it") from error


def check_jobs(number: int, origin: str) -> int:
    """Give a number of jobs back; raises UsageProblem for one that is out of range."""
    if not 1 <= number <= MOST_JOBS:
        raise UsageProblem(f"{origin} is out of range", f"choose a number from 1 to {MOST_JOBS}")
    return number
