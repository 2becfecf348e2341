# shellcheck shell=bash
# Where a token or a personal access token could be seen, in bash and in zsh. Each search is shown to find what it looks for.

#: f13: the token reaches curl by a pipe, not in its arguments, its environment or a file that it has open
load
token=$(ls_token)
lscurl -sS /api/projects/
is "$(holding "$token")" ./config
is "$(tr '\0' ' ' <"$RECORD/curl/arguments" | grep -o ' -sS .*')" " -sS $LABEL_STUDIO_URL/api/projects/ "

#: f13: nor can the personal access token be seen there
load
lscurl -sS /api/projects/
is "$(holding "$LABEL_STUDIO_API_KEY")" ''

#: f13: the same search finds the token of the plain form, and a personal access token
load
token=$(ls_token)
curl -H "Authorization: Bearer $(ls_token)" "$LABEL_STUDIO_URL/api/projects/"
is "$(holding "$token")" ./arguments
is "$(holding "$LABEL_STUDIO_API_KEY")" ./environment
printf %s "$token" | curl -d @-
is "$(holding "$token")" ''
printf %s "$token" >"$RECORD/file"
curl -d @- <"$RECORD/file"
is "$(holding "$token")" ./descriptors

#: f13: in 200 requests the secrets are in no command line of the machine, and 20 of the plain form are seen
load
mkdir "$HOME/bin" && ln -s "$BINARY" "$HOME/bin"
PATH=$HOME/bin:$REAL_PATH
printf '%s\n%s\n' "$(ls_token)" "$LABEL_STUDIO_API_KEY" >"$RECORD/secrets"
watched() {
    python3 "$KIT/watch" "$RECORD/secrets" "$RECORD/stop" >"$RECORD/seen" &
    for _ in $(seq "$1"); do "$2"; done
    : >"$RECORD/stop"
    wait
    rm "$RECORD/stop"
    cat "$RECORD/seen"
}
quiet() { lscurl -sS -o /dev/null /api/projects/; }
plain() { curl -sS -o /dev/null -H "Authorization: Bearer $(ls_token)" "$LABEL_STUDIO_URL/api/projects/"; }
is "$(watched 200 quiet)" 'curl was seen, a secret was not'
is "$(watched 20 plain)" 'curl was seen, a secret was seen'

#: f14: set -x and set -v show neither, with the plugin and without, except in the plain form
load
token=$(ls_token)
(
    set -xv
    ls_token >/dev/null
    lscurl -sS /api/projects/
    answer=$(lscurl -sS /api/projects/ 2>&1)
    echo "$answer"
    eval 'lscurl -sS /api/projects/'
) 2>"$RECORD/trace"
is "$(grep -q 'lscurl -sS /api/projects/' "$RECORD/trace" && echo traced)" traced
is "$(grep -cF -e "$token" -e "$LABEL_STUDIO_API_KEY" "$RECORD/trace")" 0
(set -x && curl -H "Authorization: Bearer $(ls_token)" "$LABEL_STUDIO_URL/api/projects/") 2>"$RECORD/trace"
is "$(grep -cF -e "$token" "$RECORD/trace")" 1

#: f14: the names of jobs show neither
load
token=$(ls_token)
lscurl -sS /api/projects/ &
jobs -l >"$RECORD/jobs"
wait
is "$(grep -c lscurl "$RECORD/jobs")" 1
is "$(grep -cF -e "$token" -e "$LABEL_STUDIO_API_KEY" "$RECORD/jobs")" 0

#: f14: the shell has the token in no variable and no function afterwards
load
ls_token >"$RECORD/token"
lscurl -sS /api/projects/
set >"$RECORD/variables"
is "$(grep -cF -f "$RECORD/token" "$RECORD/variables")" 0
token=$(cat "$RECORD/token")
set >"$RECORD/variables"
is "$(grep -cF -f "$RECORD/token" "$RECORD/variables")" 1
