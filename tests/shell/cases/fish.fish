# What holds in fish.

#: ls_token prints what ls-token prints, for the arguments as they came
load
is (ls_token --format header --min-ttl 60) 'a.made-up.token'
is (recorded) '[--format][header][--min-ttl][60]'

#: lscurl is ls-token curl with every argument as it came
load
lscurl -d 'a  b' '' '*' '~' '$HOME' -- two\nlines --
is (recorded | string collect) "[curl][-d][a  b][][*][~][\$HOME][--][two"\n"lines][--]"

#: loading twice, and from inside a function, does no harm
function loader
    set -l fish_function_path
    load
end
load
loader
lscurl -s /api/projects/
is (recorded) '[curl][-s][/api/projects/]'

#: loading starts no process
set fish (status fish-path)
strace -f -o $RECORD/trace -e trace=process $fish --no-config -c ''
set without (grep -cE 'execve|fork|vfork|clone\(' $RECORD/trace)
strace -f -o $RECORD/trace -e trace=process $fish --no-config -c 'source $PLUGIN'
is (grep -cE 'execve|fork|vfork|clone\(' $RECORD/trace) $without
strace -f -o $RECORD/trace -e trace=process $fish --no-config -c 'source $PLUGIN; ls_token' >/dev/null
is (test (grep -cE 'execve|fork|vfork|clone\(' $RECORD/trace) -gt $without; and echo 'would be seen') 'would be seen'

#: loading leaves variables, functions of others, handlers and abbreviations as they were
function state
    set --show | string match --invert --regex '^\$(_|status|pipestatus|status_generation|history)\b'
    functions --handlers
    abbr --show
end
state >$RECORD/before
functions --all --names >$RECORD/functions-before
source $PLUGIN
state >$RECORD/after
functions --all --names >$RECORD/functions-after
is (diff $RECORD/before $RECORD/after | string collect) ''
set new (comm -13 (sort $RECORD/functions-before | psub) (sort $RECORD/functions-after | psub))
is "$new" '__ls_token_complete __ls_token_complete_own ls_token lscurl'

#: the status is curl's
load
for number in 0 1 22 77 126 255
    FAKE="exit $number" lscurl /api/projects/
    is $status $number
end

#: the signal that ends it is curl's
load
for number in 9 13 15
    FAKE="kill -$number \$\$" lscurl /api/projects/ 2>/dev/null
    is $status (math 128 + $number)
end

#: stdin, stdout and stderr are curl's
load
is (printf 'one\ntwo' | FAKE=cat lscurl -d @- /api/projects/ | string collect) one\ntwo
is (FAKE='echo answer; echo progress >&2' lscurl /api/projects/ 2>$RECORD/stderr) answer
is (cat $RECORD/stderr) progress
is (FAKE='echo answer' lscurl /api/projects/ | tr a-z A-Z) ANSWER
printf '1\n2\n' | while read id
    is (FAKE='echo done' lscurl /api/tasks/$id/) done
end

#: a missing ls-token is said on stderr, and status 127
for command in ls_token lscurl
    fish --no-config -c "source \$PLUGIN; set PATH $HOME; $command -s /api/projects/" >$RECORD/stdout 2>$RECORD/stderr
    is $status 127
    is (cat $RECORD/stdout | string collect) ''
    is (string match --entire --regex 'Unknown command: ls-token' <$RECORD/stderr) 'fish: Unknown command: ls-token'
end

#: the program lscurl is never shadowed, and where ls-token is not found nothing shadows it later
fish --no-config -c 'set PATH /usr/bin /bin; source $PLUGIN; type --type lscurl ls_token' >$RECORD/types 2>&1
is (string join ' ' <$RECORD/types) "type: Could not find 'lscurl' function"
ln -s $KIT/lscurl (path dirname $RECORD)/bin
load
is (type --type lscurl) file
lscurl -s /api/projects/
is (recorded) '[curl][-s][/api/projects/]'

#: functions named like what the plugin runs are not called
load
function curl
    echo 'the function'
end
function ls-token
    echo 'the function'
end
is (ls_token) 'a.made-up.token'
is (FAKE='echo answer' lscurl) answer

#: fish_trace adds nothing to what is captured
load
set fish_trace 1
is (ls_token 2>&1) 'a.made-up.token' 2>$RECORD/stderr
set --erase fish_trace

#: a Tab without the program says nothing, and completion comes back with it
load
set saved $PATH
set PATH /usr/bin /bin
is (complete -C 'ls-token ver' 2>&1 | string collect) ''
set PATH $saved
is (complete --command ls-token | string match --entire __ls_token_complete_own | count) 1

#: a directory as fisher takes it loads in a new shell
mkdir -p $HOME/ls-token/conf.d $HOME/.config/fish
cp $PLUGIN $HOME/ls-token/conf.d/ls-token.fish
cp -R $HOME/ls-token/conf.d $HOME/.config/fish # which is what fisher does with it
is (fish -c 'lscurl -s /api/projects/' 2>&1 | string collect) ''
is (recorded) '[curl][-s][/api/projects/]'
