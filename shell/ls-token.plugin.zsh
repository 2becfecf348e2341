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
#
# xargs, nohup and parallel start programs, not functions: give them `ls-token curl …`, which is what lscurl runs. Write
# that too where a script signals $!, which for a function in the background is a copy of zsh that waits for curl.
#
# The Zsh Plugin Standard asks a plugin to find its folder by $0 and PMSPEC; this one is a single file, so that it loads by
# `eval` too, and never asks. `ls-token_plugin_unload` takes everything back.

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
    if [[ $PREFIX == /* ]]; then
        compadd -S '' /api/annotations/ /api/current-user/whoami /api/dm/actions/ /api/dm/views/ /api/ml/ \
            /api/organizations/ /api/predictions/ /api/projects/ /api/storages/ /api/tasks/ /api/token/ /api/users/ \
            /api/version /api/webhooks/
    fi
    words[1]=curl
    _normal
}

# Registers that at the first prompt, once: whoever runs compinit, a manager or the user, and be it twice, has done so by then.
function __ls_token_compdef {
    { \builtin emulate -L zsh +x; } 2>/dev/null
    precmd_functions=(${precmd_functions:#__ls_token_compdef})
    if (( ${+_comps} )); then compdef __ls_token_complete lscurl; fi
}
if [[ -o interactive ]]; then
    typeset -ga precmd_functions
    precmd_functions+=(__ls_token_compdef)
fi

function ls-token_plugin_unload {
    \builtin emulate -L zsh
    if (( ${+_comps[lscurl]} )); then compdef -d lscurl; fi
    precmd_functions=(${precmd_functions:#__ls_token_compdef})
    if (( ! $#precmd_functions )); then unset precmd_functions; fi
    unfunction ls_token lscurl __ls_token_{run,complete,compdef} ls-token_plugin_unload
}
