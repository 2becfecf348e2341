# The functions that cases for fish use.

# Loads the plugin, and checks that this prints nothing.
function load
    source $PLUGIN >$RECORD/loading 2>&1
    is (cat $RECORD/loading | string collect) ''
end

# is GOT WANTED: checks that both are the same.
function is
    touch $RECORD/checked
    if test "$argv[1]" != "$argv[2]"
        printf 'got    %s\nwanted %s\n' "$argv[1]" "$argv[2]" >>$RECORD/failed
    end
end

# Prints the arguments that the fake ls-token got since the last call of this.
function recorded
    if test -e $RECORD/arguments
        cat $RECORD/arguments
        rm $RECORD/arguments
    end
end

# holding SECRET: lists which of the recording curl's files contain it.
function holding
    test -e $RECORD/curl/arguments -a -n "$argv[1]"; or echo 'curl did not run, or there is no secret to look for'
    printf '%s' $argv[1] | grep -lF -f - -- $RECORD/curl/* | string replace --regex '.*/' ''
end
