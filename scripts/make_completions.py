"""Write the completion scripts of `completions/` from the app.

Run it from the project's root after a change of Typer; a test holds the files equal to what it
would write.
"""

from __future__ import annotations

from pathlib import Path

from typer._completion_shared import get_completion_script

SCRIPTS = {
    "nostra.bash": "bash",
    "_nostra": "zsh",
    "nostra.fish": "fish",
    "nostra.ps1": "powershell",
}


def scripts() -> dict[str, str]:
    """Give the text of each script by its file name."""
    return {
        name: get_completion_script(
            prog_name="nostra", complete_var="_NOSTRA_COMPLETE", shell=shell
        )
        + "\n"
        for name, shell in SCRIPTS.items()
    }


def main() -> None:
    """Write them all."""
    folder = Path(__file__).parent.parent / "completions"
    for name, text in scripts().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
