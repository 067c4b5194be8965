"""Parts as runs make them and leave them."""

from __future__ import annotations

from pathlib import Path

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.file import Part, part_path

VERSION = BodyVersion("https://service.example/x", '"v1"', None, 10)
UNPROVEN = BodyVersion("https://service.example/x", None, None, 10)


def note_path(target: Path) -> Path:
    return part_path(target).with_name(part_path(target).name + ".json")


def begun(target: Path, data: bytes, version: BodyVersion = VERSION) -> Part:
    part = Part(target, resume=True)
    part.restart(version)
    part.write(data)
    return part


def left(target: Path, data: bytes, version: BodyVersion = VERSION) -> None:
    """Leave a part as a run that ended early does."""
    assert begun(target, data, version).close(keep=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
