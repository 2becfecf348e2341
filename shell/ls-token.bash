# ls-token for bash 3.2 and newer: `ls_token` prints a valid Label Studio access token, `lscurl` is curl that has it.
#
# Load this file in ~/.bashrc, or at the top of a script, in one of these ways (DIR is the folder that it is in):
#
#   by itself    eval "$(ls-token init bash)"       prints this file
#                source DIR/ls-token.bash           the same, and starts no process
#   bash-it      ls-token init bash > "$BASH_IT/custom/ls-token.bash"
#   oh-my-bash   mkdir -p "$OSH/custom/plugins/ls-token"
#                ls-token init bash > "$OSH/custom/plugins/ls-token/ls-token.plugin.bash"
#                and then plugins=(… ls-token)
#
#   curl -H "Authorization: Bearer $(ls_token)" https://label.example.com/api/projects/   # the token is seen in ps
#   lscurl /api/projects/                                                                 # the token is seen nowhere
#   lscurl '/api/tasks/?project=1'                                                        # in quotes: ? * [ ] & are bash's
#
# xargs, nohup and parallel start programs, not functions: give them `ls-token curl …`, which is what lscurl runs. Write
# that too where a script signals $!, which for a function in the background is a copy of bash that waits for curl.
# For a bash of one's own behind xargs, export all it takes: export -f lscurl __ls_token_exec
#
# shellcheck shell=bash

# The parentheses make a subshell, which turns tracing off for itself alone (`local -` needs bash 4.4), so that `set -x`
# cannot add to `$(lscurl … 2>&1)`; exec makes the subshell curl, with curl's status, signals and job control. What
# follows them makes a list of it: a function of one command alone would keep Ctrl-C from ending a loop around it.
# Backslashes, `builtin` and the word `function` keep the user's aliases and functions out.

function ls_token() {
    (
        { \builtin set +x; } 2>/dev/null
        __ls_token_exec "$@"
    )
    { \builtin return; } 2>/dev/null
}

function lscurl() {
    (
        { \builtin set +x; } 2>/dev/null
        __ls_token_exec curl "$@"
    )
    { \builtin return; } 2>/dev/null
}

function __ls_token_exec() {
    if ! \builtin type -P ls-token >/dev/null; then
        \builtin echo 'ls-token: not found in PATH: install it, or add the folder that it is in to PATH' >&2
        \builtin exit 127
    fi
    \builtin exec ls-token "$@"
}

# Completes the words after lscurl: as after curl, whose completion is loaded only now, and the paths of the API.
function __ls_token_complete() {
    \builtin local spec path count
    COMPREPLY=()
    if ! \builtin complete -p curl; then
        _comp_load curl || _completion_loader curl # bash-completion 2.12; older
    fi >/dev/null 2>&1
    spec=$(\builtin complete -p curl 2>/dev/null)
    if [[ $spec == *' -F '* ]]; then
        spec=${spec##* -F }
        "${spec%% *}" curl "$2" "$3"
    fi
    count=${#COMPREPLY[@]} # not beside files, which are what an option like -o takes
    for path in /api/annotations/ /api/current-user/whoami /api/dm/actions/ /api/dm/views/ /api/ml/ \
        /api/organizations/ /api/predictions/ /api/projects/ /api/storages/ /api/tasks/ /api/token/ /api/users/ \
        /api/version /api/webhooks/; do
        if [[ $count == 0 && $2 == /* && $path == "$2"* ]]; then
            COMPREPLY+=("$path")
            \builtin compopt -o nospace 2>/dev/null # bash 3.2 has none
        fi
    done
}

# Completes ls-token's own words, by what it prints about them at the first Tab; 124 has bash begin anew with that.
function __ls_token_complete_own() {
    \builtin eval "$(\builtin command ls-token completions bash 2>/dev/null)"
    \builtin return 124
}

\builtin complete -o bashdefault -o default -F __ls_token_complete lscurl
\builtin complete -o bashdefault -o default -F __ls_token_complete_own ls-token
