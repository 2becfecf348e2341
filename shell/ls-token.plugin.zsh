# ls-token for zsh: completions for `ls-token` and `lscurl`, which are programs and need this file for nothing else, an
# alias so that ? and * in a URL need no quotes, and the function `ls_token`, which prints a token as `ls-token` does.
#
# Load this file in ~/.zshrc, before or after compinit, in one of these ways (DIR is the directory of this file):
#
#   init         eval "$(ls-token init zsh)"
#   source       source DIR/ls-token.plugin.zsh
#
# `ls-token init zsh` prints this file; `source` loads the same without starting a process. README has the lines for
# plugin managers.
#
# lscurl keeps the token out of `ps`. At the prompt, quote a URL with & in it; in a script, also one with ? * [ or ]:
#
#   lscurl /api/tasks/?project=1
#   lscurl '/api/tasks/?project=1&page=2'
#
# Any other tool works too, but its arguments, the token among them, show up in `ps`:
#
#   curl -H "Authorization: Bearer $(ls-token)" https://label.example.com/api/projects/
#
# $0 and PMSPEC of the Zsh Plugin Standard help a plugin find its directory. This one needs none: it is a single file,
# so that `eval` can load it too. `ls-token_plugin_unload` undoes everything.

# Each function turns tracing off for itself, so that `setopt xtrace` adds nothing to `$(ls_token … 2>&1)`. Backslashes,
# `builtin` and the word `function` keep the user's aliases and functions out.

function ls_token {
    { \builtin emulate -L zsh +x; } 2>/dev/null
    \builtin command \ls-token "$@"
}

# Only where the program lscurl is missing, as beside an ls-token that was copied alone: a function cannot be had in
# scripts, make or xargs.
if \builtin whence -p \ls-token && ! \builtin whence -p \lscurl; then
    function lscurl {
        { \builtin emulate -L zsh +x; } 2>/dev/null
        \builtin command \ls-token \curl "$@"
    }
fi >/dev/null

# Completes lscurl's arguments: curl's own, with whatever completes curl by then, without those that are refused, and
# addresses.
function __ls_token_complete {
    local before=$words[CURRENT-1] style=':completion:*:curl:*:options' ret=1
    local -a addresses expl
    words[1]=curl
    # What _ignored asks for once more is refused as well.
    if [[ -n ${_comp_no_ignore-} ]]; then return 1; fi
    zstyle $style ignored-patterns $(\builtin command \ls-token completions --list refused 2>/dev/null)
    {
        if _normal; then ret=0; fi
    } always {
        zstyle -d $style ignored-patterns
    }
    if [[ $PREFIX == [/h]* ]]; then
        addresses=($(\builtin command \ls-token completions --list addresses $before 2>/dev/null))
        if _wanted urls expl address compadd -S '' -a addresses; then ret=0; fi
    fi
    return ret
}

# Completes ls-token's own arguments: loads what `ls-token completions` prints at the first Tab. That registers itself,
# and is not what unloading looks for.
function __ls_token_complete_own {
    if (( ! ${+functions[_ls-token]} )); then
        \builtin eval "$(\builtin command \ls-token completions zsh 2>/dev/null)"
        compdef __ls_token_complete_own \ls-token
    fi
    if (( ${+functions[_ls-token]} )); then _ls-token "$@"; fi
}

# Registers the completions. Those that the user has registered stay.
function __ls_token_compdef {
    { \builtin emulate -L zsh +x; } 2>/dev/null
    if (( ! ${+_comps} )); then return; fi
    precmd_functions=(${precmd_functions:#__ls_token_compdef})
    if (( ! ${+_comps[lscurl]} )); then compdef __ls_token_complete lscurl; fi
    local name
    for name in \ls-token ls_token; do
        if (( ! ${+_comps[$name]} )); then compdef __ls_token_complete_own $name; fi
    done
}

# At once if compinit has run, and once more at the first prompt: some managers run it after this, and antigen twice.
# zinit unloads by the function that is named after the directory, whatever that is called.
function __ls_token_load {
    { \builtin emulate -L zsh +x; } 2>/dev/null
    local file=${(%):-%x}
    if (( ! ${+precmd_functions} )); then
        typeset -ga precmd_functions
        typeset -g __ls_token_hooks=ours
    fi
    __ls_token_compdef
    precmd_functions+=(__ls_token_compdef)
    if (( ! ${+aliases[lscurl]} )); then alias lscurl='noglob lscurl'; fi
    if [[ $file == */?*/ls-token.plugin.zsh && $file:h:t != \ls-token ]]; then
        functions[$file:h:t_plugin_unload]='ls-token_plugin_unload'
    fi
}
if [[ -o interactive ]]; then
    __ls_token_load
fi

function ls-token_plugin_unload {
    \builtin emulate -L zsh
    local name
    for name in \lscurl \ls-token ls_token; do
        if [[ ${_comps[$name]-} == __ls_token_complete* ]]; then compdef -d $name; fi
    done
    if (( ${+precmd_functions} )); then precmd_functions=(${precmd_functions:#__ls_token_compdef}); fi
    if [[ -n ${__ls_token_hooks-} ]] && (( ! $#precmd_functions )); then unset precmd_functions; fi
    unset __ls_token_hooks
    if [[ ${aliases[lscurl]-} == 'noglob lscurl' ]]; then unalias lscurl; fi
    if (( ! ${+_comps[ls-token]} )); then unfunction -m '_ls-token*'; fi
    unfunction -m ls_token '__ls_token_*'
    unfunction ls-token_plugin_unload ${(k)functions[(R)?ls-token_plugin_unload]}
    if [[ ${functions[lscurl]-} == *'\ls-token \curl "$@"' ]]; then unfunction lscurl; fi
}
