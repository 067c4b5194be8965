"""`nostra completion bash|zsh|fish|powershell`."""

from typing import Annotated

import typer

from nostra_cli.cli.context import Session
from nostra_cli.cli.params import argument, one_of
from nostra_cli.errors import ExitCode

EXAMPLES = (
    "nostra completion bash > ~/.local/share/bash-completion/completions/nostra",
    "nostra completion zsh > ~/.zfunc/_nostra",
    "nostra completion fish > ~/.config/fish/completions/nostra.fish",
)
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.FILE)
DOCS = "completion"
SCRIPTS = {
    "bash": "nostra.bash",
    "zsh": "_nostra",
    "fish": "nostra.fish",
    "powershell": "nostra.ps1",
}

Shell = Annotated[str, argument("SHELL", "bash, zsh, fish or powershell", **one_of(*SCRIPTS))]


def completion(context: typer.Context, shell: Shell) -> ExitCode:
    """Print the completion script of a shell.

    bash without bash-completion: put eval "$(nostra completion bash)" into ~/.bashrc. zsh: put
    fpath=(~/.zfunc $fpath) before compinit in ~/.zshrc. PowerShell: put nostra completion
    powershell | Out-String | Invoke-Expression into $PROFILE.
    """
    from importlib.resources import files

    session: Session = context.obj
    script = (files("nostra_cli.cli") / "completions" / SCRIPTS[shell]).read_text("utf-8")
    if session.shared.json:
        session.out.document({"shell": shell, "script": script})
    else:
        session.out.data.write(script.encode())
    return ExitCode.DONE
