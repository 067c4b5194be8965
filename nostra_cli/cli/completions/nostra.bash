# Completion of nostra for bash: source it, or save it as
# ~/.local/share/bash-completion/completions/nostra

_nostra() {
    local line=${COMP_LINE:0:${COMP_POINT:-0}} answer="" word current begun=""
    # Without readline there is no line, only its words.
    [[ -n $line ]] || line="${COMP_WORDS[*]:0:COMP_CWORD+1}"
    COMPREPLY=()
    # bash breaks words at colons and equals signs, and replaces only the last piece.
    local breaks=${COMP_WORDBREAKS//[^:=]/}
    current=${line##*[[:space:]]}
    [[ -n $breaks && $current == *[$breaks]* ]] && begun=${current%"${current##*[$breaks]}"}
    answer=$(_NOSTRA_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS=$line "${1/#\~/$HOME}" 2>/dev/null)
    while IFS= read -r word; do
        case $word in
            "") ;;
            *$'\t<files>') compopt -o default -o bashdefault 2>/dev/null ;;
            *$'\t<directories>') compopt -o dirnames 2>/dev/null ;;
            *) word=${word%%$'\t'*}; COMPREPLY+=("${word#"$begun"}") ;;
        esac
    done <<< "$answer"
}

# Older versions of bash sort what they are given.
complete -o nosort -F _nostra nostra 2>/dev/null || complete -F _nostra nostra
