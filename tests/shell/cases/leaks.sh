# shellcheck shell=bash
# Where a token or a personal access token could show up, in bash and in zsh. For each search there is a case in which it finds one.

#: f13: the token reaches curl by a pipe, not in its arguments, its environment or a file that it has open
load
token=$(ls_token)
lscurl -sS /api/projects/
is "$(holding "$token")" config
is "$(tr '\0' '\n' <"$RECORD/curl/arguments" | grep -c "^$LABEL_STUDIO_URL/api/projects/$")" 1

#: f13: nor can the personal access token be seen there
load
lscurl -sS /api/projects/
is "$(holding "$LABEL_STUDIO_API_KEY")" ''

#: f13: the same search finds the token of the plain form, and a personal access token
load
token=$(ls_token)
curl -H "Authorization: Bearer $(ls_token)" "$LABEL_STUDIO_URL/api/projects/"
is "$(holding "$token")" arguments
is "$(holding "$LABEL_STUDIO_API_KEY")" environment
printf %s "$token" | curl -d @-
is "$(holding "$token")" ''
printf %s "$token" >"$RECORD/file"
curl -d @- <"$RECORD/file"
is "$(holding "$token")" descriptors

#: f13: in 200 requests no command line of the machine has a secret, and in 200 of the plain form or the old helper one is seen
load
mkdir "$HOME/bin" && ln -s "$BINARY" "$LSCURL" "$HOME/bin"
PATH=$HOME/bin:$REAL_PATH
printf '%s\n%s\n' "$(ls_token)" "$LABEL_STUDIO_API_KEY" >"$RECORD/secrets"
watched() {
    : >"$RECORD/go"
    python3 "$KIT/watch" "$RECORD/secrets" "$RECORD/go" >"$RECORD/seen" &
    until grep -q watching "$RECORD/seen"; do sleep 0.1; done
    for _ in $(seq 200); do "$1"; done
    rm "$RECORD/go"
    wait
    tail -n 1 "$RECORD/seen"
}
quiet() { lscurl -sS -o /dev/null /api/projects/; }
plain() { curl -sS -o /dev/null -H "Authorization: Bearer $(ls_token)" "$LABEL_STUDIO_URL/api/projects/"; }
is "$(watched quiet)" 'curl was seen, a secret was not'
is "$(watched plain)" 'curl was seen, a secret was seen'
old_helper() {
    curl -sS -o /dev/null -X POST "$LABEL_STUDIO_URL/api/token/refresh/" -d "{\"refresh\": \"$LABEL_STUDIO_API_KEY\"}"
}
is "$(watched old_helper)" 'curl was seen, a secret was seen'

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
