# shellcheck shell=bash
# What holds in both bash and zsh. The ls-token here is a fake that records its arguments.
#
# Text for another shell is not expanded here, LOAD and FAKE are read elsewhere, some functions must not be called:
# shellcheck disable=SC2016,SC2034,SC2209,SC2317

#: ls_token prints what ls-token prints, for the arguments as they came
load
is "$(ls_token --format header --min-ttl 60)" 'a.made-up.token'
is "$(recorded)" '[--format][header][--min-ttl][60]'

#: ls_token with no arguments has none
load
is "$(ls_token)" 'a.made-up.token'
is "$(recorded)" '[]'

#: lscurl is ls-token curl with every argument as it came
load
lscurl -d 'a  b' '' '*' '~' '$HOME' -- $'two\nlines' --
is "$(recorded)" "[curl][-d][a  b][][*][~][\$HOME][--]["$'two\nlines'"][--]"

#: loading by eval does what loading by source does
LOAD=eval
load
lscurl -s /api/projects/
is "$(recorded)" '[curl][-s][/api/projects/]'

#: loading twice does no harm
load
load
lscurl -s /api/projects/
is "$(recorded)" '[curl][-s][/api/projects/]'

#: loading starts no process
strace -f -o "$RECORD/trace" -e trace=process "$SHELL" -c '. "$PLUGIN"'
is "$(grep -c execve "$RECORD/trace")" 1
is "$(grep -cE 'fork|clone' "$RECORD/trace")" 0
strace -f -o "$RECORD/trace" -e trace=process "$SHELL" -c '. "$PLUGIN"; ls_token' >/dev/null
is "$(grep -qE 'fork|clone' "$RECORD/trace" && echo 'would be seen')" 'would be seen'

#: lscurl is one process, a child of the shell, which becomes curl
load
FAKE='echo $PPID >"$RECORD/parent"' lscurl /api/projects/
is "$(cat "$RECORD/parent")" "$$"

#: the status is curl's
load
for number in 0 1 22 77 126 255; do
    FAKE="exit $number" lscurl /api/projects/
    is "$?" "$number"
done

#: the signal that ends it is curl's
load
for number in 2 9 13 15; do
    FAKE="kill -$number \$\$" lscurl /api/projects/
    is "$?" "$((128 + number))"
done

#: stdin is curl's
load
is "$(printf 'one\ntwo' | FAKE=cat lscurl -d @- /api/projects/)" $'one\ntwo'
is "$(FAKE=cat ls_token <"$PLUGIN")" "$(cat "$PLUGIN")"

#: stdout and stderr are curl's
load
export FAKE='echo answer; echo progress >&2'
is "$(lscurl /api/projects/ 2>"$RECORD/stderr")" 'answer'
is "$(cat "$RECORD/stderr")" 'progress'

#: a while loop keeps its list
load
printf '1\n2\n3\n' | while read -r id; do lscurl "/api/tasks/$id/"; done
is "$(recorded)" '[curl][/api/tasks/1/][curl][/api/tasks/2/][curl][/api/tasks/3/]'

#: a variable set for one call is set for curl, and afterwards no more
load
LABEL_STUDIO_URL=https://label.example.com lscurl /api/projects/
is "$(grep LABEL_STUDIO "$RECORD/environment")" 'LABEL_STUDIO_URL=https://label.example.com'
is "${LABEL_STUDIO_URL-unset}" unset

#: lscurl adds nothing to the environment
load
env >"$RECORD/before"
lscurl /api/projects/
is "$(grep -v '^_=' "$RECORD/environment" | sort)" "$(grep -v '^_=' "$RECORD/before" | sort)"

#: a missing ls-token is one line on stderr and status 127
load
ls-token() { echo 'a function of that name'; }
alias ls-token='echo an alias of that name'
for command in ls_token lscurl; do
    PATH=$HOME "$command" -s /api/projects/ >"$RECORD/stdout" 2>"$RECORD/stderr"
    is "$?" 127
    is "$(cat "$RECORD/stdout")" ''
    is "$(grep -c . "$RECORD/stderr")/$(grep -c 'not found.*ls-token\|ls-token.*not found' "$RECORD/stderr")" 1/1
done

#: the program lscurl is never shadowed
ln -s "$KIT/lscurl" "${RECORD%/*}/bin"
load
is "$(command -v lscurl)" "${RECORD%/*}/bin/lscurl"
lscurl -s /api/projects/
is "$(recorded)" '[curl][-s][/api/projects/]'

#: where ls-token is not found there is no function lscurl either, which would shadow it later
(
    PATH=/usr/bin:/bin
    load
    is "$(command -v lscurl)" ''
    is "$(command -v ls_token)" ls_token
)
is "$?" 0

#: a script with set -eu goes on after a success and stops at a failure
load
is "$(set -eu && lscurl && FAKE='echo b' lscurl && FAKE='exit 22' lscurl && echo c)" 'b'
(
    set -eu
    lscurl /api/projects/
    FAKE='exit 22' lscurl /api/projects/
    echo 'went on'
) >"$RECORD/stdout"
is "$?" 22
is "$(cat "$RECORD/stdout")" ''
(
    set -eu
    FAKE='exit 22' lscurl || echo caught
    if FAKE='exit 22' lscurl; then echo 'took a failure for a success'; fi
) >"$RECORD/stdout"
is "$?" 0
is "$(cat "$RECORD/stdout")" 'caught'

#: set -x adds nothing to what is captured, and is still on afterwards
load
(
    set -x
    is "$(ls_token 2>&1)" 'a.made-up.token'
    is "$(FAKE='echo answer' lscurl 2>&1)" 'answer'
    ls_token 2>&1
    case $- in *x*) is on on ;; *) is off on ;; esac
) >"$RECORD/stdout" 2>"$RECORD/stderr"
is "$(cat "$RECORD/stdout")" 'a.made-up.token'

#: an odd IFS changes nothing
load
IFS='-lscurl/ '
lscurl -s 'a b/c' /api/tokens
IFS=' '
is "$(recorded)" '[curl][-s][a b/c][/api/tokens]'

#: functions named like what the plugin calls are not called
load
curl() { echo 'the function'; }
ls-token() { echo 'the function'; }
command() { echo 'the function'; }
exec() { echo 'the function'; }
type() { echo 'the function'; }
whence() { echo 'the function'; }
emulate() { echo 'the function'; }
is "$(set() { echo 'the function'; } && ls_token)" 'a.made-up.token'
is "$(set() { echo 'the function'; } && lscurl -s)" ''
is "$(recorded)" '[][curl][-s]'

#: aliases named like what the plugin defines and calls do not reach into it
for LOAD in source eval; do
    (
        if [ -n "${BASH_VERSION-}" ]; then shopt -s expand_aliases; fi
        for name in curl ls-token command builtin exec set type whence emulate echo print return lscurl ls_token; do
            eval "alias $name='the alias '"
        done
        if [ -n "${ZSH_VERSION-}" ]; then alias -g curl='the alias' ls-token='the alias'; fi
        load
        unalias -a
        is "$(ls_token)" 'a.made-up.token'
        lscurl -s
    )
    is "$(recorded)" '[][curl][-s]'
done

#: each part of a pipe, a list and a subshell can be lscurl
load
lscurl 1 | cat && (lscurl 2) && { lscurl 3; } && lscurl 4 &
wait
is "$(recorded)" '[curl][1][curl][2][curl][3][curl][4]'
