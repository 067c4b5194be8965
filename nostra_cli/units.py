"""Parse and format durations and sizes."""

from __future__ import annotations

import re

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
_LONGEST = 10 * 366 * 86400
_LARGEST = 1 << 62


def parse_duration(text: str) -> float:
    """Parse `90`, `90s`, `15m` or `2h` to seconds; raises ValueError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip(), re.ASCII)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"{text!r} is not a duration such as 90, 90s, 15m or 2h")
    return seconds


def parse_size(text: str) -> int:
    """Parse `500`, `10MB` or `1GiB` to bytes; raises ValueError for anything else."""
    found = re.fullmatch(
        r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", text.strip(), re.ASCII | re.IGNORECASE
    )
    power = " kmgt".index(found[2].lower() or " ") if found else 0
    size = float(found[1]) * (1024 if found[3] else 1000) ** power if found else -1.0
    if not found or (found[3] and not found[2]) or size > _LARGEST:
        raise ValueError(f"{text!r} is not a size such as 500, 10MB or 1GiB")
    return int(size)


def show_size(count: float) -> str:
    """Format a number of bytes: `512 B`, `1.5 MiB`."""
    if count < 1023.5:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1023.95:  # it would be shown as 1024.0
            return f"{count:.1f} {unit}"
    count /= 1024
    return f"{count:.1f} TiB"


def show_duration(seconds: float) -> str:
    """Format a number of seconds: `8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
