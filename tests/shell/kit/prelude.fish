# What the cases for fish are written with.

# Loads the plugin and wants silence.
function load
    source $PLUGIN >$RECORD/loading 2>&1
    is (cat $RECORD/loading | string collect) ''
end

# is GOT WANTED: the check.
function is
    touch $RECORD/checked
    if test "$argv[1]" != "$argv[2]"
        printf 'got    %s\nwanted %s\n' "$argv[1]" "$argv[2]" >>$RECORD/failed
    end
end

# What the fake ls-token was given since the last time this was asked.
function recorded
    if test -e $RECORD/arguments
        cat $RECORD/arguments
        rm $RECORD/arguments
    end
end

# holding SECRET: which of the recording curl's files hold it.
function holding
    test -e $RECORD/curl/arguments -a -n "$argv[1]"; or echo 'curl did not run, or there is no secret to look for'
    printf '%s' $argv[1] | grep -lF -f - -- $RECORD/curl/* | string replace --regex '.*/' ''
end
