"""Usage errors, with suggestions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from nostra_cli.errors import UsageProblem

# Before 0.28, Typer's errors have no public base class; they all have `format_message`.
_TyperError: type[Exception] = getattr(typer, "TyperException", Exception)


@contextmanager
def usage_problems(path: str) -> Iterator[None]:
    """Convert Typer's errors in the block to UsageProblem, with a suggestion if there is one.

    `path` (`nostra status`) is named in the hint if the error has no context.
    """
    try:
        yield
    except _TyperError as error:
        if not hasattr(error, "format_message"):
            raise
        raise _problem(error, path) from error


def no_such_command(name: str, commands: Sequence[str], path: str) -> UsageProblem:
    """Return the error for an unknown command; `path` is the text before it."""
    return UsageProblem(
        f"no such command: {name}", f"{suggestion(name, commands)}see {path} --help"
    )


def invalid_choice(text: str, choices: Sequence[str]) -> UsageProblem:
    """Return the error for an invalid choice, with a generous suggestion (xlsx for excel)."""
    listed = ", ".join(choices)
    return UsageProblem(f"{text!r} is not one of {listed}", suggestion(text, choices, 0.4))


def suggestion(typed: str, choices: Sequence[str], likeness: float = 0.7) -> str:
    """Return the beginning of a hint, `did you mean status? `, or ""."""
    from difflib import get_close_matches

    found = get_close_matches(typed.casefold(), choices, 1, likeness)
    return f"did you mean {found[0]}? " if found else ""


def _problem(error: Any, path: str) -> UsageProblem:
    context = getattr(error, "ctx", None)
    help_hint = f"see {context.command_path if context else path} --help"
    if context is not None and hasattr(error, "possibilities"):
        name = error.option_name
        return UsageProblem(f"no such option: {name}", _option_meant(name, context) + help_hint)
    message = _message(error)
    cause = error.__cause__
    meant = cause.hint if isinstance(cause, UsageProblem) else ""
    return UsageProblem(message, meant + help_hint)


def _option_meant(name: str, context: Any) -> str:
    params = context.command.get_params(context)
    bare = name.lstrip("-")
    for param in params:
        if bare in (param.metavar or "").split("|"):  # --xlsx
            return f"did you mean {min(param.opts, key=len)} {bare}? "
    names = [option for param in params for option in (*param.opts, *param.secondary_opts)]
    meant = suggestion(name, [option for option in names if option.startswith("--")])
    if meant or not hasattr(context.command, "commands"):
        return meant
    return "options go after the command; "


def _message(error: Any) -> str:
    param = getattr(error, "param", None)
    if param is None:
        text = " ".join(str(getattr(error, "message", error)).split()).rstrip(".")
        return text[:1].lower() + text[1:]
    if param.param_type_name == "argument":
        return str(error.message) or f"{param.metavar.rstrip('.')} is missing"
    return f"{max(param.opts, key=len)}: {error.message or 'is missing'}"
