# Plugin managers for zsh: antigen and zplug as Debian packages them, the others by what their documentation says they do.

#: antigen loads it from its folder, with completion
load_by() {
    print -r -- "$1" >$HOME/.zshrc
    print -r 'lscurl -s; print -r -- "${functions[ls_token]:+ls_token} $_comps[lscurl]"' |
        TERM=xterm zsh -di >$RECORD/stdout 2>$RECORD/stderr
    is "$(<$RECORD/stdout)" 'ls_token __ls_token_complete'
    is "$(recorded)" '[curl][-s]'
}
