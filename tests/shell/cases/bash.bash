# shellcheck shell=bash
# What holds in bash.

#: it loads and works with each option the other way round
{ set +o && shopt -p; } | while read -r command flag option; do
    case $option in
        noexec | onecmd | restricted_shell) continue ;; # a shell can do nothing with these
        verbose | xtrace) continue ;;                   # these make loading print
    esac
    flag=$(tr -- '-+su' '+-us' <<<"$flag")
    for LOAD in source eval; do
        (
            "$command" "$flag" "$option" 2>/dev/null
            load
            lscurl -d 'a b' '*' ''
            FAKE='exit 22' lscurl
        ) </dev/null
        is "$LOAD $option: $? $(recorded)" "$LOAD $option: 22 [curl][-d][a b][*][][curl]"
    done
done

#: it loads and works with all of set -euo pipefail, posix, failglob and noclobber
(
    set -euo pipefail -o posix -o noclobber
    shopt -s failglob
    load
    lscurl '*' | cat
    is "$(ls_token)" 'a.made-up.token'
    FAKE='exit 22' lscurl || is "$?" 22
    is "$({ FAKE='exit 22' lscurl | cat; } || echo "pipefail sees $?")" 'pipefail sees 22'
)
is "$?" 0
is "$(recorded)" '[curl][*][][curl][curl]'

#: it loads and works in bash --posix and as sh
for mode in '--posix' '+o posix' '-u' '-e' '-f' '-C'; do
    # shellcheck disable=SC2016,SC2086 # for the inner bash; two words
    bash --norc $mode -c '. "$PRELUDE" && load && ls_token >/dev/null && lscurl -s'
    is "$mode $(recorded)" "$mode [][curl][-s]"
done

#: loading leaves variables, options, traps and aliases as they were
state() {
    set | grep -vE '^(_|BASH_ARGC|BASH_ARGV|BASH_LINENO|FUNCNAME|LINENO|PIPESTATUS|RANDOM|SECONDS|EPOCH[A-Z]*|SRANDOM)='
    set +o
    shopt -p
    trap -p
    alias -p
    complete -p
}
trap 'true' EXIT
alias curl='curl -s'
state >"$RECORD/before"
# shellcheck source=/dev/null
. "$PLUGIN"
unset -f ls_token lscurl __ls_token_complete __ls_token_complete_own
complete -r lscurl ls-token ls_token
state >"$RECORD/after"
is "$(diff "$RECORD/before" "$RECORD/after")" ''
is "$(grep -c "^alias curl='curl -s'" "$RECORD/after")" 1

#: loading from inside a function, as bash-it and oh-my-bash do, defines the same
loader() {
    local IFS=$'\n'
    # shellcheck source=/dev/null
    source "$PLUGIN"
}
loader
lscurl -s
is "$(recorded)" '[curl][-s]'

#: traps on EXIT and ERR run as often as they do for curl
load
(
    trap 'echo EXIT' EXIT
    trap 'echo ERR' ERR
    FAKE='exit 22' lscurl
    true
) >"$RECORD/stdout"
is "$(cat "$RECORD/stdout")" $'ERR\nEXIT'

#: completion offers curl's own, loaded when it is first asked for
load
# shellcheck source=/dev/null
. /usr/share/bash-completion/bash_completion
is "$(complete -p curl 2>/dev/null)" ''
COMP_LINE='lscurl --user-a' COMP_POINT=15 COMP_CWORD=1 COMP_WORDS=(lscurl --user-a)
__ls_token_complete lscurl --user-a lscurl
is "${COMPREPLY[*]-}" '--user-agent'
is "$(complete -p lscurl)" 'complete -o bashdefault -o default -F __ls_token_complete lscurl'
