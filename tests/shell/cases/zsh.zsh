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
is "$(diff $RECORD/before $RECORD/loaded | grep -c '^> .* {$')" 7
is "$(diff $RECORD/before $RECORD/loaded | grep '^>' | grep -v '^> .* [{]$' | grep -v $'^> [\t}]')" ''

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
