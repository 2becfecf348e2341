# shellcheck shell=bash
# shellcheck disable=SC1090 # the plugin is checked by itself
# The functions that cases for bash and zsh use. They have to work under every option that a case sets.

# Loads the plugin, as $LOAD says, and checks that this prints nothing.
load() {
    case $LOAD in
        source) . "$PLUGIN" ;;
        eval) eval "$(cat "$PLUGIN")" ;;
    esac >|"$RECORD/loading" 2>&1
    is "$(cat "$RECORD/loading")" ''
}

# is GOT WANTED: checks that both are the same.
is() {
    : >|"$RECORD/checked"
    if [ "$1" != "$2" ]; then printf 'got    %s\nwanted %s\n' "$1" "$2" >>"$RECORD/failed"; fi
}

# Prints the arguments that the fake ls-token got since the last call of this.
recorded() {
    if [ -e "$RECORD/arguments" ]; then
        cat "$RECORD/arguments"
        rm "$RECORD/arguments"
    fi
}

# holding SECRET: lists which of the recording curl's files contain it.
holding() {
    printf '%s' "${1:?a secret to look for}" >"$RECORD/secret"
    if [ ! -e "$RECORD/curl/arguments" ]; then echo 'curl did not run'; fi
    (cd "$RECORD/curl" && grep -lF -f "$RECORD/secret" -- *)
}
