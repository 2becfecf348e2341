# shellcheck shell=bash
# shellcheck disable=SC1090 # the plugin is checked by itself
# What the cases for bash and zsh are written with. It has to work under every option that they set.

# Loads the plugin, as $LOAD says, and wants silence.
load() {
    case $LOAD in
        source) . "$PLUGIN" ;;
        eval) eval "$(cat "$PLUGIN")" ;;
    esac >|"$RECORD/loading" 2>&1
    is "$(cat "$RECORD/loading")" ''
}

# is GOT WANTED: the check.
is() {
    : >|"$RECORD/checked"
    if [ "$1" != "$2" ]; then printf 'got    %s\nwanted %s\n' "$1" "$2" >>"$RECORD/failed"; fi
}

# What the fake ls-token was given since the last time this was asked.
recorded() {
    if [ -e "$RECORD/arguments" ]; then
        cat "$RECORD/arguments"
        rm "$RECORD/arguments"
    fi
}

# holding SECRET: which of the recording curl's files hold it.
holding() {
    printf '%s' "${1:?a secret to look for}" >"$RECORD/secret"
    if [ ! -e "$RECORD/curl/arguments" ]; then echo 'curl did not run'; fi
    (cd "$RECORD/curl" && grep -lF -f "$RECORD/secret" -- *)
}
