"""The context of a command: output, settings, and the service when it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from nostra_cli.units import show_duration

if TYPE_CHECKING:
    from nostra_cli.api.client import Service
    from nostra_cli.cli.params import SharedOptions
    from nostra_cli.config.credentials import Token
    from nostra_cli.config.settings import Settings
    from nostra_cli.errors import Transient
    from nostra_cli.http.timeouts import Deadline, LowSpeed
    from nostra_cli.output.console import Output


class Session:
    """The output, the settings and the service of one command."""

    def __init__(self, shared: SharedOptions, out: Output) -> None:
        """Load nothing yet."""
        self.shared = shared
        self.out = out

    @cached_property
    def settings(self) -> Settings:
        """The effective settings, loaded once, with warnings about the config file."""
        for warning in self._loaded.config.warnings:
            self.out.warn(str(warning))
        return self._loaded

    @cached_property
    def _loaded(self) -> Settings:
        from nostra_cli.config.settings import load

        return load(self.shared.flags, os.environ)

    def ci(
        self, flag: bool | None, command: str, ids: Sequence[str]
    ) -> AbstractContextManager[None]:
        """Format output for a CI job while the block lasts, and report the outcome of `ids`.

        Does nothing unless the flag or the setting enables it.
        """
        # Not `settings`: it would show its warnings before the block.
        enabled = self._loaded.ci.value if flag is None else flag
        return self.out.job(command, ids) if enabled else nullcontext()

    def deadline(self, timeout: float | None = None) -> Deadline:
        """Start the deadline of this run: `timeout` (seconds), else the setting, else none."""
        from nostra_cli.http.timeouts import Deadline

        return Deadline(timeout if timeout is not None else self.settings.timeout.value)

    @property
    def low_speed(self) -> LowSpeed:
        """The minimum speed of a transfer."""
        from nostra_cli.http.timeouts import LowSpeed

        return LowSpeed(self.settings.low_speed_limit.value, self.settings.low_speed_time.value)

    @property
    def token(self) -> Token:
        """The token; the stderr of a token_command is shown, unless --json is given.

        Raises AuthProblem if no token is set, UsageProblem if the command fails.
        """
        return self.settings.require_token(show_stderr=not self.shared.json)

    @contextmanager
    def service(self, timeout: float | None = None) -> Iterator[Service]:
        """Open the service with one deadline for all requests; record ids in the history.

        Raises AuthProblem if no token is set.
        """
        deadline, base_url = self.deadline(timeout), self.settings.base_url.value
        with self.service_at(base_url, self.token, deadline) as service:
            try:
                yield service
            finally:
                if self.settings.history.value:
                    from nostra_cli.config import history

                    history.record(os.environ, base_url, tuple(service.seen.values()))

    @contextmanager
    def service_at(self, base_url: str, token: Token, deadline: Deadline) -> Iterator[Service]:
        """Open the service at any base URL with any token, without the history."""
        from functools import partial
        from urllib.parse import urlsplit

        from nostra_cli.api.client import Service
        from nostra_cli.config.masking import mask_token
        from nostra_cli.http.retry import Retrier
        from nostra_cli.http.transport import Transport

        self.out.mask(partial(mask_token, token.value))
        trace = self.out.trace if self.shared.verbose else None
        transport = Transport(base_url, token, deadline, trace)
        try:
            with self.out.progress.busy(f"waiting for {urlsplit(base_url).hostname}"):
                yield Service(transport, Retrier(deadline, notify=self._report_retry))
        finally:
            transport.close()

    def _report_retry(
        self, failure: Transient, pause: float, next_attempt: int, attempts: int
    ) -> None:
        when = f"in {show_duration(pause)}" if pause >= 0.5 else "now"
        which = f"attempt {next_attempt} of {attempts}"
        self.out.info(f"{failure.message}; retrying {when} ({which})")
