# shellcheck shell=bash
# Everything together, in bash and in zsh: the real ls-token, the real curl, and a server that checks tokens.

#: ls-token init prints the file, and eval loads it in silence
name=bash
if [ -n "${ZSH_VERSION-}" ]; then name=zsh; fi
ls-token init "$name" >"$RECORD/init"
is "$(cmp "$RECORD/init" "$PLUGIN" 2>&1)" ''
eval "$(ls-token init "$name")" >"$RECORD/loading" 2>&1
is "$(cat "$RECORD/loading")" ''
is "$(lscurl -sS -o /dev/null -w '%{http_code}' /api/projects/)" 200

#: the token of ls_token is one that the server takes, in the place of the old helper
load
plain() { curl -s -o /dev/null -w '%{http_code}' "$@" "$LABEL_STUDIO_URL/api/projects/"; }
is "$(plain -H "Authorization: Bearer $(ls_token)")" 200
is "$(plain -H 'Authorization: Bearer null')" 401

#: a project is created from stdin and read back in a pipe, under set -euo pipefail
load
set -eu
set -o pipefail
printf '{"title": "%s"}' "from $$" | lscurl -sSf --json @- -o /dev/null /api/projects/
is "$(lscurl -sSf /api/projects/ | grep -o "from $$")" "from $$"
set +e

#: curl's own failure keeps curl's status
load
lscurl -sf /api/nothing/
is "$?" 22
lscurl -s -o "$HOME/no/such/folder" /api/projects/
is "$?" 23

#: -o - writes to stdout, and the progress meter goes to stderr
load
is "$(lscurl -sS -o - /api/projects/ | jq -r 'has("results")')" true
lscurl -o "$RECORD/answer" /api/projects/ 2>"$RECORD/stderr"
is "$?/$(grep -c '% Total' "$RECORD/stderr")" 0/1
is "$(jq -r 'has("results")' "$RECORD/answer")" true

#: when there is no token, curl is not started and the status says why
load
LABEL_STUDIO_API_KEY=${LABEL_STUDIO_API_KEY%?????}AAAAA # not the server's signature
lscurl -s -o "$RECORD/answer" /api/projects/ 2>"$RECORD/stderr"
is "$?" 77
is "$(test -e "$RECORD/answer" && echo 'curl ran')" ''
is "$(grep -c '^ls-token: ' "$RECORD/stderr")" 1

#: programs that start programs are given ls-token curl
load
is "$(echo /api/projects/ /api/projects/ | xargs -n 1 ls-token curl -s -o /dev/null -w '%{http_code}')" 200200
is "$(seq 4 | parallel -q -j 2 ls-token curl -s -o /dev/null -w '%{http_code}' '/api/projects/?{}')" 200200200200
is "$(nohup ls-token curl -s -o /dev/null -w '%{http_code}' /api/projects/ 2>/dev/null)" 200

#: what lscurl runs in the background is waited for with its status
load
lscurl -sf /api/nothing/ &
wait "$!"
is "$?" 22
