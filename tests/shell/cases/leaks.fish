# Where a token or a personal access token could show up, in fish. For each search there is a case in which it finds one.

#: f13: the token reaches curl by a pipe, not in its arguments, its environment or a file that it has open
load
set token (ls_token)
lscurl -sS /api/projects/
is (holding $token | string collect) config

#: f13: nor can the personal access token be seen there
load
lscurl -sS /api/projects/
is (holding $LABEL_STUDIO_API_KEY | string collect) ''

#: f13: the same search finds the token of the plain form, and a personal access token
load
set token (ls_token)
curl -H "Authorization: Bearer $(ls_token)" $LABEL_STUDIO_URL/api/projects/
is (holding $token | string collect) arguments
is (holding $LABEL_STUDIO_API_KEY | string collect) environment

#: f14: fish_trace shows neither, except in the plain form
load
set token (ls_token)
fish --no-config -c 'source $PLUGIN; set fish_trace 1; ls_token >/dev/null; lscurl -sS /api/projects/' 2>$RECORD/trace
is (grep -cF 'lscurl -sS /api/projects/' $RECORD/trace) 1
is (grep -cF -e $token -e $LABEL_STUDIO_API_KEY $RECORD/trace) 0
fish --no-config -c 'source $PLUGIN; set fish_trace 1; curl -H "Authorization: Bearer $(ls_token)"' 2>$RECORD/trace
is (grep -cF -e $token $RECORD/trace) 1
