# Completion of nostra for fish: put it into ~/.config/fish/completions

function __nostra_complete
    set -l words (commandline -opc)
    set -lx _NOSTRA_COMPLETE complete_fish
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp | string collect)
    for line in (command $words[1] 2>/dev/null)
        switch $line
            case \tfiles
                __fish_complete_path (commandline -ct)
            case \tdirs
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end

complete --command nostra --no-files --keep-order --arguments '(__nostra_complete)'
