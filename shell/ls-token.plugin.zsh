# ls-token for zsh: `ls_token` prints a valid Label Studio access token, `lscurl` runs curl with it.
#
# Load this file in ~/.zshrc, before or after compinit, in one of these ways (DIR is the directory of this file):
#
#   init         eval "$(ls-token init zsh)"
#   source       source DIR/ls-token.plugin.zsh
#   oh-my-zsh    mkdir -p "$ZSH_CUSTOM/plugins/ls-token"
#                ls-token init zsh > "$ZSH_CUSTOM/plugins/ls-token/ls-token.plugin.zsh"
#                then add ls-token to plugins=(…)
#   zinit        zinit light DIR
#   zplug        zplug DIR, from:local
#   antigen      antigen bundle DIR --no-local-clone
#   antidote     a line in .zsh_plugins.txt: DIR
#   sheldon      two lines in plugins.toml: [plugins.ls-token] and local = "DIR"
#
# `ls-token init zsh` prints this file; `source` loads the same without starting a process.
#
# lscurl keeps the token out of `ps`. Quote a URL with ? * [ ] or & in it; with the alias, only & needs quotes:
#
#   lscurl /api/projects/
#   lscurl '/api/tasks/?project=1'
#   alias lscurl='noglob lscurl'
#
# Any other tool works too, but its arguments, the token among them, show up in `ps`:
#
#   curl -H "Authorization: Bearer $(ls_token)" https://label.example.com/api/projects/
#
# xargs, nohup and parallel start programs, not functions: give them `ls-token curl …`, which is what lscurl runs. Use
# it also after `time`, where a script signals $! (for a function in the background, that is a copy of zsh that waits for
# curl), and where the exit status matters after Ctrl-Z and fg.
#
# $0 and PMSPEC of the Zsh Plugin Standard help a plugin find its directory. This one needs none: it is a single file,
# so that `eval` can load it too. `ls-token_plugin_unload` undoes everything.

# Each function turns tracing off for itself, so that `setopt xtrace` adds nothing to `$(lscurl … 2>&1)`. Backslashes,
# `builtin` and the word `function` keep the user's aliases and functions out.

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
        \builtin print -u2 'ls-token: not found in PATH: install it, or add its directory to PATH'
        return 127
    fi
    \builtin command \ls-token "$@"
}

# Completes lscurl's arguments: curl's own, with whatever completes curl by then, and the paths of the API.
function __ls_token_complete {
    local before=$compstate[nmatches] ret=1
    local -a paths expl
    words[1]=curl
    if _normal; then ret=0; fi
    # No API paths beside files, which an option like -o takes.
    if [[ $PREFIX == /* ]] && (( compstate[nmatches] == before )); then
        paths=(/api/annotations/ /api/current-user/whoami /api/dm/actions/ /api/dm/views/ /api/ml/ /api/organizations/
            /api/predictions/ /api/projects/ /api/storages/ /api/tasks/ /api/token/ /api/users/ /api/version /api/webhooks/)
        if _wanted urls expl 'API path' compadd -S '' -a paths; then ret=0; fi
    fi
    return ret
}

# Completes ls-token's own arguments: loads what `ls-token completions` prints at the first Tab.
function __ls_token_complete_own {
    \builtin eval "$(\builtin command \ls-token completions zsh 2>/dev/null)"
    if (( ${+functions[_ls-token]} )); then _ls-token "$@"; fi
}

# Registers both completions once, at the first prompt after compinit: antigen runs compinit twice before the first
# prompt, other managers only after it. Completions that the user has registered stay.
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
