"""Check, before anything is transferred, that targets can be written to."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from nostra_cli.downloads import stores
from nostra_cli.downloads.sinks.file import remove_stale_part
from nostra_cli.downloads.target import OnExisting, StoreUrl, Target, check_regular
from nostra_cli.errors import FileProblem, file_errors


def check_target(target: Target, existing: OnExisting) -> bool:
    """Check a target before it is written; True if it exists and is to be skipped.

    Raises FileProblem for an existing file, as `existing` says, and always for a directory, a
    symbolic link, a FIFO or a device.
    """
    if isinstance(target, StoreUrl):
        return stores.check_object(target, existing)
    path = target
    if path.name:  # `.` has no name
        remove_stale_part(path)
    with file_errors(path):
        if not check_regular(path):
            return False
        if existing is OnExisting.REFUSE:
            raise FileExistsError
    return existing is OnExisting.SKIP


def check_folder(folder: Path, create: bool) -> None:
    """Raise FileProblem unless files can be made in `folder`, which may itself be made later."""
    for place in (folder, *folder.parents):
        with file_errors(place):
            try:
                found = place.stat()
            except NotADirectoryError:
                continue  # one of its parents is a file
            except FileNotFoundError:
                if create and not place.is_symlink():
                    continue
                raise
        if not stat.S_ISDIR(found.st_mode):
            raise FileProblem(f"{place} is not a directory", "choose another directory with -d")
        if found.st_nlink == 0 and sys.platform != "win32":
            raise FileProblem("the current directory was removed", "change to another directory")
        if not os.access(place, os.W_OK | os.X_OK):
            raise FileProblem(f"no permission to write in {place}", "choose another with -d")
        return
