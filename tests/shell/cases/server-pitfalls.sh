# shellcheck shell=bash
# The pitfalls of $() that README lists, in bash and in zsh. Each case first shows that it happens with the helper that
# people write.
#
# The helper and its uses are written as people write them:
# shellcheck disable=SC2155,SC2034

#: pitfall: without a token curl runs all the same, and ends with 0
load
old_helper() {
    curl -s -X POST "$LABEL_STUDIO_URL/api/token/refresh/" -H 'Content-Type: application/json' \
        -d "{\"refresh\": \"$LABEL_STUDIO_API_KEY\"}" | jq -r .access
}
LABEL_STUDIO_API_KEY=${LABEL_STUDIO_API_KEY%?????}AAAAA # not the server's signature
is "$(old_helper)/$?" null/0
answer=$(curl -s -w '%{http_code}' -o /dev/null -H "Authorization: Bearer $(old_helper)" "$LABEL_STUDIO_URL/api/projects/")
is "$?/$answer" 0/401
answer=$(lscurl -s -w '%{http_code}' -o /dev/null /api/projects/ 2>/dev/null)
is "$?/$answer" 77/

#: pitfall: set -euo pipefail does not stop it
load
LABEL_STUDIO_API_KEY=${LABEL_STUDIO_API_KEY%?????}AAAAA
(
    set -euo pipefail
    curl -s -o /dev/null -H "Authorization: Bearer $(ls-token 2>/dev/null)" "$LABEL_STUDIO_URL/api/projects/"
    : >"$RECORD/went on"
)
is "$?/$(test -e "$RECORD/went on" && echo 'went on')" '0/went on'
rm -f "$RECORD/went on"
(
    set -euo pipefail
    lscurl -s -o /dev/null /api/projects/ 2>/dev/null
    : >"$RECORD/went on"
)
is "$?/$(test -e "$RECORD/went on" && echo 'went on')" 77/

#: pitfall: local, export and the like swallow the status
load
LABEL_STUDIO_API_KEY=${LABEL_STUDIO_API_KEY%?????}AAAAA
swallowed() { local t=$(ls-token 2>/dev/null); }
swallowed
is "$?" 0
export T=$(ls-token 2>/dev/null)
is "$?" 0
answer_swallowed() { local x=$(lscurl -s /api/projects/ 2>/dev/null); }
answer_swallowed
is "$?" 0
kept() {
    local t
    t=$(ls-token 2>/dev/null) || return
}
kept
is "$?" 77
answer_kept() {
    local x
    x=$(lscurl -s /api/projects/ 2>/dev/null) || return
}
answer_kept
is "$?" 77

#: pitfall: what to write where only $() will do keeps curl from starting
load
LABEL_STUDIO_API_KEY=${LABEL_STUDIO_API_KEY%?????}AAAAA
t=$(ls_token 2>/dev/null) && curl -s -o "$RECORD/answer" -H "Authorization: Bearer $t" "$LABEL_STUDIO_URL/api/projects/"
is "$?/$(test -e "$RECORD/answer" && echo 'curl ran')" 77/

#: pitfall: a token in a variable is stale after its life, lscurl's never is
load
"$STAND_IN" --life 5 --pat-file "$RECORD/pat" >"$RECORD/url" &
server=$!
until [ -s "$RECORD/url" ]; do sleep 0.05; done
export LABEL_STUDIO_URL="$(cat "$RECORD/url")" LABEL_STUDIO_API_KEY="$(cat "$RECORD/pat")"
t=$(ls_token)
plain() { curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $t" "$LABEL_STUDIO_URL/api/projects/"; }
is "$(plain)" 200
until [ "$(plain)" = 401 ]; do sleep 0.1; done
is "$(lscurl -s -o /dev/null -w '%{http_code}' /api/projects/)" 200
kill "$server"

#: pitfall: after one -H every URL gets the token, lscurl refuses the second server
load
python3 "$KIT/listener" "$RECORD/port" "$RECORD/heard" &
until [ -s "$RECORD/port" ]; do sleep 0.05; done
other=http://127.0.0.1:$(cat "$RECORD/port")
curl -s -m 5 -o /dev/null -H "Authorization: Bearer $(ls_token)" "$LABEL_STUDIO_URL/health" "$other/x"
wait
is "$(grep -ci '^authorization: bearer ' "$RECORD/heard")" 1
lscurl -s -m 5 -o /dev/null /health "$other/x" 2>"$RECORD/stderr"
is "$?/$(grep -c 'gets no token' "$RECORD/stderr")" 2/1
