# What holds in zsh.

#: it loads and works with each option the other way round
for option in ${(ko)options}; do
    case $option in
        exec|interactive|privileged|restricted|shinstdin|singlecommand) continue ;; # a shell can do nothing with these
        sourcetrace|verbose|xtrace) continue ;; # these make loading print
    esac
    for LOAD in source eval; do
        (
            if [[ -o $option ]]; then unsetopt $option; else setopt $option; fi 2>/dev/null
            load
            lscurl -d 'a b' '*' ''
            FAKE='exit 22' lscurl
            number=$?
            ls-token_plugin_unload
            is "$option ${+functions[lscurl]}" "$option 0"
            exit $number
        )
        is "$LOAD $option: $? $(recorded)" "$LOAD $option: 22 [curl][-d][a b][*][][curl]"
    done
done

#: it loads and works with everything on that a careful or a reckless person sets
(
    setopt KSH_ARRAYS SH_WORD_SPLIT NO_UNSET ERR_EXIT ERR_RETURN NO_CLOBBER EXTENDED_GLOB NULL_GLOB WARN_CREATE_GLOBAL \
        WARN_NESTED_VAR POSIX_BUILTINS PIPE_FAIL GLOB_SUBST CSH_JUNKIE_QUOTES IGNORE_BRACES NO_FUNCTION_ARGZERO
    load
    lscurl -d 'a b' '*' ''
    is "$(ls_token)" 'a.made-up.token'
    FAKE='exit 22' lscurl || is $? 22
    FAKE='exit 22' lscurl
    print 'went on'
) >$RECORD/stdout
is $? 22
is "$(<$RECORD/stdout)" ''
is "$(recorded)" '[curl][-d][a b][*][][][curl][curl]'

#: ERR_RETURN leaves a function at lscurl's failure, not inside it
load
caller() { FAKE='exit 22' lscurl; print 'went on' }
( setopt ERR_RETURN; caller ) >$RECORD/stdout
is $? 22
is "$(<$RECORD/stdout)" ''

#: it loads and works in the emulations of sh, ksh and csh
for shell in sh ksh csh; do
    for LOAD in source eval; do
        ( emulate $shell; load; lscurl -d 'a b' '*' '' )
        is "$shell $(recorded)" "$shell [curl][-d][a b][*][]"
    done
done

#: loading leaves variables, options, traps and aliases as they were, and unloading the functions too
state() {
    typeset | grep -vE '^(_|LINENO|RANDOM|SECONDS|EPOCH.*|TTYIDLE)=|^(commands|functions.*|parameters)='
    setopt
    trap
    alias -L
    functions
}
alias curl='curl -s'
alias -g L='| less'
trap 'true' EXIT
zmodload zsh/parameter
state >$RECORD/before
. $PLUGIN
state >$RECORD/loaded
ls-token_plugin_unload
state >$RECORD/after
is "$(diff $RECORD/before $RECORD/after)" ''
is "$(diff $RECORD/before $RECORD/loaded | grep -c $'^> [^\t]* {$')" 7
is "$(diff $RECORD/before $RECORD/loaded | grep '^>' | grep -v '^> .* [{]$' | grep -v $'^> [\t}]')" ''

#: unloading leaves no function behind, whatever was set when it was loaded
zmodload zsh/parameter
for option in autocd ignorebraces ksharrays shglob; do
    is "$option $(setopt $option; load; ls-token_plugin_unload; emulate zsh; print ${(k)functions[(I)*(token|lscurl)*]})" "$option "
done

#: at the first prompt completion is there and nothing is left waiting; unloading takes it back
print 'autoload -Uz compinit; compinit -D -u; saved="${(kv)_comps}"; source $PLUGIN' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<'TYPED'
print "$_comps[lscurl] ${#precmd_functions}"
ls-token_plugin_unload
[[ "${(kv)_comps}" == $saved ]] && print same
functions | grep 'ls.token'
TYPED
is "$(<$RECORD/stdout)" $'__ls_token_complete 0\nsame'

#: what the user has registered stays, also when it is unloaded
print 'autoload -Uz compinit; compinit -D -u; mine() { :; }; compdef mine lscurl ls-token; source $PLUGIN' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<'TYPED'
print "$_comps[lscurl] $_comps[ls-token] ${#precmd_functions}"
ls-token_plugin_unload
print "$_comps[lscurl] $_comps[ls-token]"
TYPED
is "$(<$RECORD/stdout)" $'mine mine 0\nmine mine'

#: unloading before the first prompt takes back what waits for it
print 'source $PLUGIN; print $precmd_functions; ls-token_plugin_unload; print ${+precmd_functions}' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<<''
is "$(<$RECORD/stdout)" $'__ls_token_compdef\n0'

#: in an interactive shell, too, it can be loaded from inside a function, in silence
print 'setopt warn_create_global; loader() { source $PLUGIN }; loader' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<<'lscurl -s'
is "$(<$RECORD/stdout)" ''
is "$(grep -cE 'precmd|token' $RECORD/stderr)" 0
is "$(recorded)" '[curl][-s]'

#: loaded after the first prompt, as some managers load, completion is there at once
print 'autoload -Uz compinit; compinit -D -u' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<<'source $PLUGIN; print "$_comps[lscurl] $_comps[ls_token]"'
is "$(<$RECORD/stdout)" '__ls_token_complete __ls_token_complete_own'

#: at the prompt an unquoted ? or * in a URL is no pattern
print 'source $PLUGIN' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<'TYPED'
lscurl /api/tasks/?project=1 /api/projects/[1-3]/ *
VAR=x lscurl /api/tasks/?page=2
TYPED
is "$(recorded)" '[curl][/api/tasks/?project=1][/api/projects/[1-3]/][*][curl][/api/tasks/?page=2]'
is "$(zsh -d -c 'source $PLUGIN; alias lscurl')" ''

#: an alias of the user's stays, also when it is unloaded
print 'alias lscurl="lscurl -s"; source $PLUGIN' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<'TYPED'
lscurl /api/projects/
ls-token_plugin_unload
alias lscurl
TYPED
is "$(recorded)" '[curl][-s][/api/projects/]'
is "$(<$RECORD/stdout)" "lscurl='lscurl -s'"

#: zinit unloads it by the function that is named after the directory
for folder in shell 'a plugin' ls-token; do
    mkdir -p $HOME/$folder
    cp $PLUGIN $HOME/$folder
    print -r -- "print before \${(k)functions}; source ${(q)HOME}/${(q)folder}/ls-token.plugin.zsh" >$HOME/.zshrc
    print -r -- "${(q)folder}_plugin_unload; print after \${(k)functions}; alias lscurl" | zsh -di >$RECORD/stdout 2>$RECORD/stderr
    is "$(sed -n 's/^after //p' $RECORD/stdout)" "$(sed -n 's/^before //p' $RECORD/stdout)"
    is "$(grep -c . $RECORD/stdout)" 2
done

#: without compinit it waits for that, and nothing is said
print 'source $PLUGIN' >$HOME/.zshrc
zsh -di >$RECORD/stdout 2>$RECORD/stderr <<<'print "${+_comps} ${#precmd_functions}"'
is "$(<$RECORD/stdout)" '0 1'
is "$(grep -c 'token' $RECORD/stderr)" 0

#: loading from inside a function, as plugin managers do, defines the same
loader() {
    setopt local_options warn_create_global ksh_arrays
    local -a precmd_functions
    load
}
loader
lscurl -s
is "$(recorded)" '[curl][-s]'

#: ${$(ls-token):?} stops a command that would run without a token
load
checked() { curl() { : >"$RECORD/curl ran"; }; curl -H "Authorization: Bearer ${$(ls_token):?}"; }
(export FAKE='exit 77'; checked) 2>/dev/null
is "$(( $? != 0 ))/$([[ -e "$RECORD/curl ran" ]] && echo ran)" 1/
(checked)
is "$?/$([[ -e "$RECORD/curl ran" ]] && echo ran)" 0/ran
