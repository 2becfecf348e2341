# ls-token for bash 3.2 and newer: completions for `ls-token` and `lscurl`, which are programs and need this file for
# nothing else, and the function `ls_token`, which prints a token as `ls-token` does.
#
# Load this file in ~/.bashrc in one of these ways (DIR is the directory of this file):
#
#   init         eval "$(ls-token init bash)"
#   source       source DIR/ls-token.bash
#
# `ls-token init bash` prints this file; `source` loads the same without starting a process. README has the lines for
# bash-it and oh-my-bash.
#
# lscurl keeps the token out of `ps`. Quote a URL with ? * [ ] or & in it:
#
#   lscurl /api/projects/
#   lscurl '/api/tasks/?project=1'
#
# Any other tool works too, but its arguments, the token among them, show up in `ps`:
#
#   curl -H "Authorization: Bearer $(ls-token)" https://label.example.com/api/projects/
#
# shellcheck shell=bash

# Each function runs in a subshell (the parentheses). It turns tracing off for itself alone, so that `set -x` adds
# nothing to `$(ls_token … 2>&1)`; `local -` would need bash 4.4. exec then replaces the subshell, so that status, signals
# and job control are the program's. The `return` after it is needed: if the function were a single command, Ctrl-C would
# not end a loop around it. Backslashes, `builtin` and the word `function` keep the user's aliases and functions out.

function ls_token() {
    (
        { \builtin set +x; } 2>/dev/null
        \builtin exec ls-token "$@"
    )
    { \builtin return; } 2>/dev/null
}

# Only where the program lscurl is missing, as beside an ls-token that was copied alone: a function cannot be had in
# scripts, make or xargs.
if \builtin type -P ls-token && ! \builtin type -P lscurl; then
    function lscurl() {
        (
            { \builtin set +x; } 2>/dev/null
            \builtin exec ls-token curl "$@"
        )
        { \builtin return; } 2>/dev/null
    }
fi >/dev/null

# Completes lscurl's arguments: curl's own, whose completion is loaded only now, without those that are refused, and
# addresses. Of a URL, readline sees only what is behind the last colon.
function __ls_token_complete() {
    \builtin local spec word refused line start
    \builtin local -a offered
    COMPREPLY=()
    if ! \builtin complete -p curl; then
        # The first is of bash-completion 2.12, the second older.
        _comp_load curl || _completion_loader curl
    fi >/dev/null 2>&1
    spec=$(\builtin complete -p curl 2>/dev/null)
    if [[ $spec == *' -F '* ]]; then
        spec=${spec##* -F }
        "${spec%% *}" curl "$2" "$3"
    fi
    if [[ $2 == -* ]]; then
        refused=$'\n'$(\builtin command ls-token completions --list refused 2>/dev/null)$'\n'
        for word in ${COMPREPLY[@]+"${COMPREPLY[@]}"}; do
            [[ $refused == *$'\n'"${word%%[= ]*}"$'\n'* ]] || offered+=("$word")
        done
        COMPREPLY=(${offered[@]+"${offered[@]}"})
        \builtin return
    fi
    line=${COMP_LINE:0:COMP_POINT} line=${line%"$2"} start=${line##*[[:space:]]}
    line=${line%"$start"} line=${line%"${line##*[![:space:]]}"}
    while IFS= \builtin read -r word; do
        if [[ $start$2 == [/h]* && $word == "$start$2"* ]]; then
            COMPREPLY+=("${word#"$start"}")
            # bash 3.2 has none.
            \builtin compopt -o nospace 2>/dev/null
        fi
    done <<<"$(\builtin command ls-token completions --list addresses "${line##*[[:space:]]}" 2>/dev/null)"
}

# Completes ls-token's own arguments: loads what `ls-token completions` prints at the first Tab. Status 124 makes bash
# start over with it.
function __ls_token_complete_own() {
    \builtin eval "$(\builtin command ls-token completions bash 2>/dev/null)"
    \builtin return 124
}

\builtin complete -o bashdefault -o default -F __ls_token_complete lscurl
\builtin complete -o bashdefault -o default -F __ls_token_complete_own ls-token ls_token
