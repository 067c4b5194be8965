"""The pictures show what the commands print now."""

from __future__ import annotations

import sys

import pytest

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals", allow_module_level=True)

from scripts.make_pictures import FOLDER, PICTURES, Picture, make, read_text


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_what_is_printed_now(picture: Picture) -> None:
    """If this fails because a message has changed: `python -m scripts.make_pictures`."""
    committed = (FOLDER / f"{picture.name}.svg").read_text(encoding="utf-8")
    assert read_text(make(picture)) == read_text(committed)
    assert len(read_text(committed)) > 10


def test_every_picture_is_made_by_the_script() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {one.name for one in PICTURES}
