# Everything together, in fish: the real ls-token, the real curl, and a server that checks tokens.

#: ls-token init prints the file, and source loads it in silence
ls-token init fish >$RECORD/init
is (cmp $RECORD/init $PLUGIN 2>&1 | string collect) ''
ls-token init fish | source >$RECORD/loading 2>&1
is (cat $RECORD/loading | string collect) ''
is (lscurl -sS -o /dev/null -w '%{http_code}' /api/projects/) 200

#: the token of ls_token is one that the server takes
load
is (curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(ls_token)" $LABEL_STUDIO_URL/api/projects/) 200
is (curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer null' $LABEL_STUDIO_URL/api/projects/) 401

#: taking the token first stops a command that would run without one
set LABEL_STUDIO_API_KEY (string replace --regex '.{5}$' AAAAA $LABEL_STUDIO_API_KEY)
set t (ls-token 2>/dev/null); and curl -s -o $RECORD/answer -H "Authorization: Bearer $t" $LABEL_STUDIO_URL/api/projects/
is $status 77
is (test -e $RECORD/answer; and echo 'curl ran'; or echo) ''

#: a project is created from stdin and read back in a pipe
load
printf '{"title": "from %s"}' $fish_pid | lscurl -sSf --json @- -o /dev/null /api/projects/
is "$status" 0
is (lscurl -sSf /api/projects/ | grep -o "from $fish_pid") "from $fish_pid"

#: curl's own failure keeps curl's status
load
lscurl -sf /api/nothing/
is $status 22

#: when there is no token, curl is not started and the status says why
load
set LABEL_STUDIO_API_KEY (string replace --regex '.{5}$' AAAAA $LABEL_STUDIO_API_KEY) # not the server's signature
lscurl -s -o $RECORD/answer /api/projects/ 2>$RECORD/stderr
is $status 77
is (test -e $RECORD/answer; and echo 'curl ran'; or echo) ''
