# shellcheck shell=bash
# shellcheck disable=SC2016 # text for other shells
# The program lscurl in everything that starts programs: shells without a plugin, make, cron, xargs, find, timeout.

#: every shell has it, and its status
ask="lscurl -sS -o /dev/null -w '%{http_code} ' /api/projects/"
for shell in 'bash' 'bash --posix' 'sh' 'dash' 'ksh' 'mksh' 'busybox sh' 'zsh -f' 'zsh --emulate sh -f' 'fish --no-config'; do
    is "$shell: $($shell -c "$ask")" "$shell: 200 "
    $shell -c 'lscurl -sf /api/nothing/'
    is "$shell: $?" "$shell: 22"
done

#: make, xargs, find, parallel, timeout, nice, env, nohup, setsid and time start it
ask="lscurl -sS -o /dev/null -w '%{http_code} ' /api/projects/"
printf 'all:\n\t@%s\n' "${ask//\%/%}" >Makefile
is "$(make -s)" '200 '
is "$(echo /api/projects/ /api/projects/ | xargs -n 1 -P 2 lscurl -sS -o /dev/null -w '%{http_code} ')" '200 200 '
mkdir ids && touch ids/1 ids/2
is "$(find ids -type f -exec lscurl -sS -o /dev/null -w '%{http_code} ' '/api/projects/?{}' \;)" '200 200 '
is "$(seq 4 | parallel -q -j 2 lscurl -sS -o /dev/null -w '%{http_code} ' '/api/projects/?{}')" '200 200 200 200 '
for before in 'timeout 60' 'nice' 'env' 'nohup' 'setsid --wait' 'stdbuf -oL'; do
    is "$before: $($before lscurl -sS -o /dev/null -w '%{http_code}' /api/projects/ 2>/dev/null)" "$before: 200"
done
for shell in bash 'zsh -f'; do
    is "$shell: $($shell -c "time $ask" 2>&1 | grep -cE '^real|total$')" "$shell: 1"
done

#: a cron job has it, with nothing but HOME and PATH
ask="lscurl -sS -o /dev/null -w '%{http_code} ' /api/projects/"
mkdir -m 700 "$HOME/.config" "$HOME/.config/ls-token"
printf '%s' "$LABEL_STUDIO_API_KEY" >"$HOME/.config/ls-token/pat"
printf '[profiles.x]\nurl = "%s"\npat = "file:%s"\n' "$LABEL_STUDIO_URL" "$HOME/.config/ls-token/pat" >"$HOME/.config/ls-token/config.toml"
chmod 600 "$HOME"/.config/ls-token/*
directory=${RECORD%/*}/bin
is "$(cd / && env -i HOME="$HOME" LOGNAME=someone SHELL=/bin/sh PATH="$directory:/usr/bin:/bin" sh -c "$ask")" '200 '
is "$(cd / && env -i HOME="$HOME" SHELL=/bin/sh PATH=/usr/bin:/bin sh -c "'$directory'/$ask")" '200 '

#: in the background $! is curl itself, in every shell: a signal to it ends all there is
mkfifo "$HOME/never" # that nobody writes: curl waits for it
for shell in bash dash ksh mksh 'busybox sh' 'zsh -f' 'fish --no-config'; do
    # Its number is in a file as soon as it is a child; curl is what it has become.
    job='lscurl -s -d @"$HOME/never" /api/projects/ &'
    case $shell in
        fish*) rest='echo $last_pid >$RECORD/pid; wait $last_pid' ;;
        *) rest='echo $! >"$RECORD/pid"; wait $!; echo "$?" >"$RECORD/status"' ;;
    esac
    rm -f "$RECORD/pid" "$RECORD/status"
    $shell -c "$job $rest" >"$RECORD/output" 2>&1 &
    until [ -s "$RECORD/pid" ] && [ "$(cat "/proc/$(cat "$RECORD/pid")/comm")" = curl ]; do sleep 0.05; done
    kill "$(cat "$RECORD/pid")"
    wait "$!"
    is "$shell: $(test -e "/proc/$(cat "$RECORD/pid")" && echo 'it lives on')" "$shell: "
    case $shell in
        fish*) ;;
        ksh) is "ksh: $(cat "$RECORD/status")" "ksh: $((256 + 15))" ;;
        *) is "$shell: $(cat "$RECORD/status")" "$shell: $((128 + 15))" ;;
    esac
done
timeout 1 lscurl -s -d @"$HOME/never" /api/projects/
is "$?" 124

#: a variable that is set for one call is set for no more, also by POSIX rules
ask="lscurl -sS -o /dev/null -w '%{http_code} ' /api/projects/"
for shell in 'bash --posix' dash ksh mksh 'busybox sh' 'zsh --emulate sh -f'; do
    is "$shell: $($shell -c "LS_TOKEN_VERBOSE=x $ask; echo \${LS_TOKEN_VERBOSE-unset}")" "$shell: 200 unset"
done

#: jobs, an ERR trap and set -x show what was typed, and nothing of a plugin
load
mkfifo "$HOME/never"
lscurl -s -d @"$HOME/never" /api/projects/ &
is "$(jobs | grep -c 'Running *lscurl -s -d @"$HOME/never" /api/projects/ &')" 1
kill "$!"
wait "$!" 2>/dev/null
(
    trap 'echo "ERR in $BASH_COMMAND"' ERR
    lscurl -sf /api/nothing/
) >"$RECORD/stdout"
is "$(cat "$RECORD/stdout")" 'ERR in lscurl -sf /api/nothing/'
(
    set -x
    lscurl -sf /api/nothing/
) 2>"$RECORD/trace"
is "$(cat "$RECORD/trace")" '+ lscurl -sf /api/nothing/'
