# Completion of nostra for fish: save it as ~/.config/fish/completions/nostra.fish

function __nostra_complete
    set -l words (commandline -opc)
    set -lx _NOSTRA_COMPLETE complete_fish
    set -lx _TYPER_COMPLETE_FISH_ACTION get-args
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp | string collect)
    for line in (command $words[1] 2>/dev/null)
        switch $line
            case \*\t'<files>'
                __fish_complete_path (commandline -ct)
            case \*\t'<directories>'
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end

complete --command nostra --no-files --keep-order --arguments '(__nostra_complete)'
