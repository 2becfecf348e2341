# ls-token for fish: completions for `ls-token` and `lscurl`, which are programs and need this file for nothing else, and
# the function `ls_token`, which prints a token as `ls-token` does.
#
# Load this file in config.fish, in one of these ways (DIR is the directory of this file):
#
#   init         ls-token init fish | source
#   source       source DIR/ls-token.fish
#
# `ls-token init fish` prints this file; `source` loads the same without starting a process. README has the lines for
# fisher. Or keep a copy where fish loads it by itself:
#
#   conf.d       ls-token init fish > ~/.config/fish/conf.d/ls-token.fish
#
# lscurl keeps the token out of `ps`. Quote a URL with ? * or & in it:
#
#   lscurl /api/projects/
#   lscurl '/api/tasks/?project=1'
#
# Any other tool works too, but its arguments, the token among them, show up in `ps`:
#
#   curl -H "Authorization: Bearer $(ls-token)" https://label.example.com/api/projects/

function ls_token --wraps ls-token --description 'Print a valid Label Studio access token'
    command ls-token $argv
end

# Only where the program lscurl is missing, as beside an ls-token that was copied alone: fish cannot run a function in
# the background, and Ctrl-C does not end a loop around one.
if command --query ls-token; and not command --query lscurl
    function lscurl --description 'Run curl with a Label Studio access token that stays out of sight'
        command ls-token curl $argv
    end
end

# Completes what is behind lscurl, or `ls-token curl`: curl's own without what is refused, and addresses.
function __ls_token_complete
    set --local words (commandline --tokenize --cut-at-cursor --current-process)
    set --local word (commandline --cut-at-cursor --current-token)
    if test "$words[1]" = ls-token
        set words $words[(contains --index curl $words)..]
    end
    set --local refused (command ls-token completions --list refused | string join '|')
    set --local line curl (string escape -- $words[2..])
    complete --do-complete "$line $word" |
        string match --invert --regex "^($refused)(=|\t|\$)"
    if string match --quiet --regex '^[/h]' -- $word
        command ls-token completions --list addresses $words[-1] | string match -- "$word*"
    end
end
complete --command lscurl --no-files --arguments '(__ls_token_complete 2>/dev/null)'

# Completes ls-token's own arguments: loads what `ls-token completions` prints at the first Tab.
function __ls_token_complete_own
    command --query ls-token; or return
    complete --command ls-token --erase
    command ls-token completions fish | source
    complete --do-complete (commandline --cut-at-cursor --current-process | string collect)
end
complete --command ls-token --no-files --arguments '(__ls_token_complete_own)'
