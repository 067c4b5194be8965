"""What the runner of GitHub Actions makes of a log and of a file of outputs."""

from __future__ import annotations


def is_command(line: str) -> bool:
    """Return whether a runner may take a line for a command: it ignores what is not ASCII."""
    seen = "".join(character for character in line if character.isascii())
    return seen.lstrip().startswith("::") or "##[" in seen


def outputs(text: str) -> dict[str, str]:
    """Read a file of outputs as the runner does."""
    found = {}
    lines = iter(text.split("\n"))
    for line in lines:
        name, heredoc, end = line.partition("<<")
        if heredoc and "=" not in name:
            value: list[str] = []
            while (inner := next(lines)) != end:
                value.append(inner)
            found[name] = "\n".join(value)
        elif line:
            name, _, found[name] = line.partition("=")
    return found
