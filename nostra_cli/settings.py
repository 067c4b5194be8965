"""Flag, environment, profile, default: one resolver a setting, each value with its origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from nostra_cli import config
from nostra_cli.errors import AuthProblem, UsageProblem
from nostra_cli.models import Format
from nostra_cli.units import parse_duration, parse_size

T = TypeVar("T")

DEFAULT_BASE_URL = "https://nostradamus.u-hopper.com"
DEFAULT_JOBS = 8
MOST_JOBS = 64
_LARGEST_TOKEN_FILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and where it came from, in words for a person."""

    value: T
    origin: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token that does not show itself by accident."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says of settings; None where it is silent."""

    profile: str | None = None
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Every effective setting with its origin."""

    profile: Setting[str]
    base_url: Setting[str]
    token: Setting[Token | None]
    format: Setting[Format | None]
    dir: Setting[str]
    jobs: Setting[int]
    timeout: Setting[float | None]
    low_speed_limit: Setting[int]
    low_speed_time: Setting[float]
    config: config.Config

    def require_token(self) -> Token:
        """Give the token, or raise AuthProblem that says how to set one."""
        if self.token.value is None:
            raise AuthProblem(
                f"no token for profile {self.profile.value!r}",
                "set NOSTRA_TOKEN (or NOSTRA_TOKEN_FILE), or put `token` under "
                f"[profiles.{self.profile.value}] in {self.config.path}",
            )
        return self.token.value


@dataclass(frozen=True, slots=True)
class _Sources:
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
        return Setting(str(self.profile[key]), f"{key} in {self.profile_origin}")

    def first(
        self,
        from_env: Callable[[], Setting[str] | None],
        from_profile: Callable[[], Setting[str] | None],
    ) -> Setting[str] | None:
        order = (from_profile, from_env) if self.profile_first else (from_env, from_profile)
        return order[0]() or order[1]()


def load(flags: Flags, env: Mapping[str, str]) -> Settings:
    """Resolve every setting.

    Raises UsageProblem for a value that cannot be used; it names the origin and never the token.
    """
    file = config.read(env)
    profile = _profile(flags, env, file)
    sources = _Sources(
        flags,
        env,
        file.profiles.get(profile.value, {}),
        f"profile {profile.value!r} of {file.path}",
        profile_first=flags.profile is not None,
    )
    return Settings(
        profile=profile,
        base_url=_base_url(sources),
        token=_token(sources),
        format=_format(sources),
        dir=_dir(sources),
        jobs=_jobs(sources),
        timeout=_timeout(sources),
        low_speed_limit=_low_speed_limit(sources),
        low_speed_time=_low_speed_time(sources),
        config=file,
    )


def _profile(flags: Flags, env: Mapping[str, str], file: config.Config) -> Setting[str]:
    """--profile > NOSTRA_PROFILE > default_profile > `default`; the named one must exist."""
    for name, origin in (
        (flags.profile, "flag --profile"),
        (env.get("NOSTRA_PROFILE") or None, "environment NOSTRA_PROFILE"),
        (file.default_profile, f"default_profile in {file.path}"),
    ):
        if name is None:
            continue
        if name not in file.profiles:
            known = ", ".join(sorted(file.profiles)) or "none"
            raise UsageProblem(
                f"no profile {name!r} (from {origin}) in {file.path}", f"profiles there: {known}"
            )
        return Setting(name, origin)
    return Setting("default", "default")


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
        return Setting(DEFAULT_BASE_URL, "default")
    return Setting(check_base_url(found.value, found.origin), found.origin)


def _token(sources: _Sources) -> Setting[Token | None]:
    """NOSTRA_TOKEN > NOSTRA_TOKEN_FILE > profile; an explicit --profile before the environment."""
    found = sources.first(
        lambda: sources.in_env("NOSTRA_TOKEN") or _token_file(sources),
        lambda: sources.in_profile("token"),
    )
    if found is None:
        return Setting(None, "not set")
    return Setting(check_token(found.value, found.origin), found.origin)


def _token_file(sources: _Sources) -> Setting[str] | None:
    named = sources.in_env("NOSTRA_TOKEN_FILE")
    if named is None:
        return None
    try:
        with Path(named.value).open("rb") as file:
            content = file.read(_LARGEST_TOKEN_FILE)
    except OSError as error:
        raise UsageProblem(
            f"cannot read the token file {named.value}: {error.strerror}",
            "mend NOSTRA_TOKEN_FILE or unset it",
        ) from error
    return Setting(content.decode("ascii", "replace"), f"{named.origin}, file {named.value}")


def _format(sources: _Sources) -> Setting[Format | None]:
    """Profile only; the command's own option comes before it."""
    found = sources.in_profile("format")
    if found is None:
        return Setting(None, "default")
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
        return Setting(".", "default")
    path = found.value if "://" in found.value else str(Path(found.value).expanduser())
    return Setting(path, found.origin)


def _jobs(sources: _Sources) -> Setting[int]:
    """Profile > 8; the command's own option comes before it."""
    found = sources.in_profile("jobs")
    if found is None:
        return Setting(DEFAULT_JOBS, "default")
    return Setting(check_jobs(int(found.value), found.origin), found.origin)


def _timeout(sources: _Sources) -> Setting[float | None]:
    """Profile > no deadline; the command's own option comes before it."""
    found = sources.in_profile("timeout")
    return _parsed(found, parse_duration) if found else Setting(None, "default")


def _low_speed_limit(sources: _Sources) -> Setting[int]:
    """NOSTRA_LOW_SPEED_LIMIT > 1 KiB; in bytes a second."""
    found = sources.in_env("NOSTRA_LOW_SPEED_LIMIT")
    return _parsed(found, parse_size) if found else Setting(1024, "default")


def _low_speed_time(sources: _Sources) -> Setting[float]:
    """NOSTRA_LOW_SPEED_TIME > 30 s; in seconds."""
    found = sources.in_env("NOSTRA_LOW_SPEED_TIME")
    return _parsed(found, parse_duration) if found else Setting(30.0, "default")


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


def check_token(text: str, origin: str) -> Token:
    """Give the token without white space around it.

    Raises UsageProblem, without the value, where it could not be sent in a header.
    """
    token = text.strip()
    if not token or not all("!" <= character <= "~" for character in token):
        problem = "is empty" if not token else "has a space, a control or a non-ASCII character"
        raise UsageProblem(
            f"the token ({origin}) {problem}", "copy it again: it is one word of ASCII characters"
        )
    return Token(token)


def check_base_url(text: str, origin: str) -> str:
    """Give the base URL without a slash at its end.

    Raises UsageProblem unless it is https (or http to this machine) with a host and no more than
    a path behind it.
    """
    hint = f"it looks like {DEFAULT_BASE_URL}"
    try:
        url = urlsplit(text.strip())
        host, _port = url.hostname, url.port
    except ValueError as error:
        raise UsageProblem(f"the base URL ({origin}) is not a URL", hint) from error
    plain = _is_host(host) and text.strip().isprintable() and not set(text.strip()) & set(" \\")
    if url.scheme not in ("http", "https") or not host or not plain:
        raise UsageProblem(f"the base URL ({origin}) is not an http(s) URL", hint)
    if "@" in url.netloc or set("?#") & set(text):
        raise UsageProblem(
            f"the base URL ({origin}) has a user name, a query or a fragment in it", hint
        )
    if url.scheme == "http" and not is_loopback(host):
        raise UsageProblem(
            f"the base URL ({origin}) is http:// to {host}: the token would travel in the clear",
            "use https:// (http:// is only for this machine, as with nostra sandbox)",
        )
    return text.strip().rstrip("/")


def _is_host(host: str | None) -> bool:
    if not host:
        return False
    if host.isascii():
        return all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def is_loopback(host: str) -> bool:
    """Tell whether a URL's host is this machine: `localhost` or a loopback address."""
    if host.casefold() in ("localhost", "127.0.0.1", "::1"):
        return True
    import ipaddress  # for the rest of 127.0.0.0/8 and other ways to write it

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
