# ls-token for fish: `ls_token` prints a valid Label Studio access token, `lscurl` is curl that has it.
#
# Load this file in one of these ways (DIR is the folder that it is in):
#
#   by itself    ls-token init fish | source              in config.fish; prints this file
#                source DIR/ls-token.fish                 the same, and starts no process
#                ls-token init fish > ~/.config/fish/conf.d/ls-token.fish
#   fisher       knows the folders conf.d, functions and completions and nothing else, so make it one:
#                mkdir -p ~/ls-token/conf.d
#                ls-token init fish > ~/ls-token/conf.d/ls-token.fish
#                fisher install ~/ls-token
#
#   curl -H "Authorization: Bearer $(ls_token)" https://label.example.com/api/projects/   # the token is seen in ps
#   lscurl /api/projects/                                                                 # the token is seen nowhere
#   lscurl '/api/tasks/?project=1'                                                        # in quotes: ? * & are fish's
#
# xargs, nohup and parallel start programs, not functions; fish cannot run a function in the background, and Ctrl-C does
# not end a loop around one. Write `ls-token curl …` there, which is what lscurl runs.

function ls_token --description 'Print a valid Label Studio access token'
    __ls_token_run $argv
end

function lscurl --wraps curl --description 'curl, with a Label Studio access token that nobody sees'
    __ls_token_run curl $argv
end

function __ls_token_run
    if not command --query ls-token
        echo 'ls-token: not found in PATH: install it, or add the folder that it is in to PATH' >&2
        return 127
    end
    command ls-token $argv
end

# These come on top of curl's own, which --wraps brings.
complete --command lscurl --arguments '/api/annotations/ /api/current-user/whoami /api/dm/actions/ /api/dm/views/
    /api/ml/ /api/organizations/ /api/predictions/ /api/projects/ /api/storages/ /api/tasks/ /api/token/ /api/users/
    /api/version /api/webhooks/'

# Completes ls-token's own words, by what it prints about them at the first Tab.
function __ls_token_complete_own
    command --query ls-token; or return
    complete --command ls-token --erase
    command ls-token completions fish | source
    complete --do-complete (commandline --cut-at-cursor --current-process | string collect)
end
complete --command ls-token --no-files --arguments '(__ls_token_complete_own)'
