# ls-token for zsh: `ls_token` prints a valid Label Studio access token, `lscurl` is curl that has it.
#
# Load this file in ~/.zshrc, before or after compinit, in one of these ways (DIR is the folder that it is in):
#
#   by itself    eval "$(ls-token init zsh)"                prints this file
#                source DIR/ls-token.plugin.zsh             the same, and starts no process
#   oh-my-zsh    mkdir -p "$ZSH_CUSTOM/plugins/ls-token"
#                ls-token init zsh > "$ZSH_CUSTOM/plugins/ls-token/ls-token.plugin.zsh"
#                and then plugins=(… ls-token)
#   antidote     DIR                                        a line of .zsh_plugins.txt
#   zinit        zinit light DIR
#   zplug        zplug DIR, from:local
#   antigen      antigen bundle DIR --no-local-clone
#   sheldon      [plugins.ls-token]                         in plugins.toml
#                local = "DIR"
#
#   curl -H "Authorization: Bearer $(ls_token)" https://label.example.com/api/projects/   # the token is seen in ps
#   lscurl /api/projects/                                                                 # the token is seen nowhere
#   lscurl '/api/tasks/?project=1'                                                        # in quotes: ? * [ ] & are zsh's
#   alias lscurl='noglob lscurl'                                                          # or this of your own: quotes for & alone
#
# xargs, nohup and parallel start programs, not functions: give them `ls-token curl …`, which is what lscurl runs. Write
# that too behind `time`, where a script signals $! (for a function in the background that is a copy of zsh that waits for
# curl), and where the status counts after Ctrl-Z and fg.
#
# The Zsh Plugin Standard's $0 and PMSPEC are for a plugin to find its folder; this one is a single file, so that `eval`
# loads it too, and needs no folder. Its `ls-token_plugin_unload` takes everything back.

# Tracing is off inside, so that `setopt xtrace` cannot add to `$(lscurl … 2>&1)`. Backslashes, `builtin` and the word
# `function` keep the user's aliases and functions out.

function ls_token {
    { \builtin emulate -L zsh +x; } 2>/dev/null
    __ls_token_run "$@"
}

function lscurl {
    { \builtin emulate -L zsh +x; } 2>/dev/null
    __ls_token_run \curl "$@"
}

function __ls_token_run {
    if ! \builtin whence -p \ls-token >/dev/null; then
        \builtin print -u2 'ls-token: not found in PATH: install it, or add the folder that it is in to PATH'
        return 127
    fi
    \builtin command \ls-token "$@"
}

# Completes the words after lscurl: as after curl, whatever completes that by then, and the paths of the API.
function __ls_token_complete {
    local before=$compstate[nmatches] ret=1
    local -a paths expl
    words[1]=curl
    if _normal; then ret=0; fi
    # Not beside files, which are what an option like -o takes.
    if [[ $PREFIX == /* ]] && (( compstate[nmatches] == before )); then
        paths=(/api/annotations/ /api/current-user/whoami /api/dm/actions/ /api/dm/views/ /api/ml/ /api/organizations/
            /api/predictions/ /api/projects/ /api/storages/ /api/tasks/ /api/token/ /api/users/ /api/version /api/webhooks/)
        if _wanted urls expl 'path of the API' compadd -S '' -a paths; then ret=0; fi
    fi
    return ret
}

# Completes ls-token's own words, by what it prints about them at the first Tab.
function __ls_token_complete_own {
    \builtin eval "$(\builtin command \ls-token completions zsh 2>/dev/null)"
    if (( ${+functions[_ls-token]} )); then _ls-token "$@"; fi
}

# Registers both once, at the first prompt that has compinit behind it: antigen runs it twice before the first one, and
# others only after that. What the user has registered stays.
function __ls_token_compdef {
    { \builtin emulate -L zsh +x; } 2>/dev/null
    if (( ! ${+_comps} )); then return; fi
    precmd_functions=(${precmd_functions:#__ls_token_compdef})
    if (( ! ${+_comps[lscurl]} )); then compdef __ls_token_complete lscurl; fi
    if (( ! ${+_comps[ls-token]} )); then compdef __ls_token_complete_own ls-token; fi
}
if [[ -o interactive ]]; then
    typeset -ga precmd_functions
    precmd_functions+=(__ls_token_compdef)
fi

function ls-token_plugin_unload {
    \builtin emulate -L zsh
    local name
    for name in lscurl ls-token; do
        if [[ ${_comps[$name]-} == __ls_token_complete* ]]; then compdef -d $name; fi
    done
    precmd_functions=(${precmd_functions:#__ls_token_compdef})
    if (( ! $#precmd_functions )); then unset precmd_functions; fi
    if (( ! ${+_comps[ls-token]} )); then unfunction -m '_ls-token*'; fi
    unfunction ls_token lscurl __ls_token_{run,complete,complete_own,compdef} ls-token_plugin_unload
}
