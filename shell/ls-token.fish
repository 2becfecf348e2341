# ls-token for fish: `ls_token` prints a valid Label Studio access token, `lscurl` runs curl with it.
#
# Load this file in config.fish, in one of these ways (DIR is the directory of this file):
#
#   init         ls-token init fish | source
#   source       source DIR/ls-token.fish
#
# `ls-token init fish` prints this file; `source DIR/…` loads the same without starting a process. Or keep a copy where
# fish loads it by itself:
#
#   conf.d       ls-token init fish > ~/.config/fish/conf.d/ls-token.fish
#
# fisher takes only directories that contain conf.d, functions or completions, so make one:
#
#   fisher       mkdir -p ~/ls-token/conf.d
#                ls-token init fish > ~/ls-token/conf.d/ls-token.fish
#                fisher install ~/ls-token
#
# lscurl keeps the token out of `ps`. Quote a URL with ? * or & in it:
#
#   lscurl /api/projects/
#   lscurl '/api/tasks/?project=1'
#
# Any other tool works too, but its arguments, the token among them, show up in `ps`:
#
#   curl -H "Authorization: Bearer $(ls_token)" https://label.example.com/api/projects/
#
# xargs, nohup and parallel start programs, not functions. fish cannot run a function in the background, and Ctrl-C does
# not end a loop around one. Use `ls-token curl …` there, which is what lscurl runs.

function ls_token --description 'Print a valid Label Studio access token'
    __ls_token_run $argv
end

function lscurl --wraps curl --description 'Run curl with a Label Studio access token that stays out of sight'
    __ls_token_run curl $argv
end

function __ls_token_run
    if not command --query ls-token
        echo 'ls-token: not found in PATH: install it, or add its directory to PATH' >&2
        return 127
    end
    command ls-token $argv
end

# The paths of the API, in addition to curl's own completions, which --wraps brings.
complete --command lscurl --arguments '/api/annotations/ /api/current-user/whoami /api/dm/actions/ /api/dm/views/
    /api/ml/ /api/organizations/ /api/predictions/ /api/projects/ /api/storages/ /api/tasks/ /api/token/ /api/users/
    /api/version /api/webhooks/'

# Completes ls-token's own arguments: loads what `ls-token completions` prints at the first Tab.
function __ls_token_complete_own
    command --query ls-token; or return
    complete --command ls-token --erase
    command ls-token completions fish | source
    complete --do-complete (commandline --cut-at-cursor --current-process | string collect)
end
complete --command ls-token --no-files --arguments '(__ls_token_complete_own)'
