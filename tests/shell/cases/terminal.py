"""What holds at the keyboard: Ctrl-C, Ctrl-Z, jobs, completion, history, plugin managers. terminal.py ROOT BINARY WORK.

The sentence of a case is its docstring. WORK/server has the variables of the stand-in server.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import sys
import tempfile
import time

ROOT, BINARY, WORK = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(ROOT / "tests/shell/kit"))
from terminal import Failure, Terminal, check, wait_until  # noqa: E402 (the line above says where it is)

FAKE = ROOT / "tests/shell/kit/ls-token"
LSCURL = ROOT / "tests/shell/kit/lscurl"
PLUGINS = {"bash": "ls-token.bash", "zsh": "ls-token.plugin.zsh", "fish": "ls-token.fish"}
START_UP = {
    "bash": ". /usr/share/bash-completion/bash_completion; PS1='ready> ' HISTFILE=~/history; ",
    "zsh": "autoload -Uz compinit; compinit -u; PS1='ready> ' HISTFILE=~/history SAVEHIST=9; ",
    "fish": "set fish_greeting; function fish_prompt; echo -n 'ready> '; end; ",
}


@contextlib.contextmanager
def plugin(shell, fake="true", program=True):
    """A terminal with the plugin, an ls-token that does as `fake` says, and the program lscurl, or the function."""
    start_up = START_UP[shell] + f"source '{ROOT}/shell/{PLUGINS[shell]}'\n"
    if program:
        start_up = f"ln -s '{LSCURL}' ~/bin; {start_up}"
    with contextlib.closing(Terminal(shell, FAKE, start_up, WORK, FAKE=fake)) as terminal:
        yield terminal


def ctrl_c(shell):
    """Ctrl-C ends lscurl with 130 and gives the prompt back"""
    with plugin(shell, "echo star''ted; exec sleep 60") as terminal:
        terminal.type("lscurl /api/slow")
        terminal.wait_for("started")
        terminal.press("\x03")
        terminal.wait_for_status(130)


def ctrl_c_in_a_loop(shell, program=True):
    """Ctrl-C ends a loop of lscurl, as it ends a loop of curl"""
    loop = "for i in 1 2 3; {}lscurl /api/slow; end" if shell == "fish" else "for i in 1 2 3; do {}lscurl /api/slow; done"
    with plugin(shell, "echo star''ted; exec sleep 60", program) as terminal:
        for before in "", "echo again; ":
            terminal.type(loop.format(before))
            terminal.wait_for("started")
            terminal.press("\x03")
            terminal.wait_for("ready> ")
            terminal.type("echo al''ive")
            check("started" not in terminal.wait_for("alive"), "the loop went on")
            terminal.wait_for("ready> ")


def ctrl_c_in_a_loop_of_the_function(shell):
    """Ctrl-C ends a loop of the function lscurl, where the program is missing"""
    ctrl_c_in_a_loop(shell, program=False)


def ctrl_z(shell):
    """Ctrl-Z stops lscurl, and fg takes it to its end"""
    until_told = 'while [ ! -e "$RECORD/go" ]; do sleep 0.1; done'
    with plugin(shell, f"echo star''ted; {until_told}; echo end''ed; exit 22") as terminal:
        terminal.type("lscurl /api/slow")
        terminal.wait_for("started")
        time.sleep(0.5)  # a process that is being started cannot be stopped
        terminal.press("\x1a")
        terminal.wait_for("ready> ")
        (terminal.home / "go").touch()
        time.sleep(1)
        terminal.type("jobs")
        check("ended" not in terminal.wait_for("[Ss]topped|suspended"), "it went on while it was stopped")
        terminal.wait_for("ready> ")
        terminal.type("fg")
        terminal.wait_for("ended")
        if shell != "fish":  # where fg forgets the status of everything
            terminal.wait_for_status(22)


def background(shell):
    """a job in the background leaves the prompt free, and kill %1 ends all of it"""
    with plugin(shell, 'echo $$ >"$RECORD/pid"; exec sleep 60') as terminal:
        terminal.type("lscurl /api/slow &")
        terminal.wait_for("ready> ")
        file = terminal.home / "pid"
        wait_until(lambda: file.exists() and file.read_text().endswith("\n"), "curl does not start")
        curl = pathlib.Path("/proc", file.read_text().strip())
        check(curl.exists(), "curl is not in the background")
        terminal.type("kill %1")
        wait_until(lambda: not curl.exists(), "curl is still there")
        terminal.type("")
        terminal.wait_for("[Tt]erminated")


def keyboard(shell):
    """what curl asks for can be typed"""
    with plugin(shell, "echo name''?; read answer; echo it was $answer") as terminal:
        terminal.type("lscurl /api/projects/")
        terminal.wait_for("name[?]")
        terminal.type("typed")
        terminal.wait_for("it was typed")


def completes(terminal):
    terminal.press("lscurl --user-ag\t x /api/proj\t\r")
    terminal.wait_for("ready> ")
    arguments = (terminal.home / "arguments").read_text()
    check(arguments == "[curl][--user-agent][x][/api/projects/]", f"it ran {arguments}")


def completion(shell):
    """the Tab key completes curl's own options and the paths of the API"""
    with plugin(shell) as terminal:
        completes(terminal)


@contextlib.contextmanager
def laboratory(shell):
    """A terminal with the real ls-token and a profile, and with commands that print their arguments."""
    command = WORK / "show"
    command.write_text('#!/bin/sh\necho "got: $*."\n')
    command.chmod(0o700)
    start_up = f"ln -s '{command}' ~/bin/lscurl; ln -s '{command}' ~/bin/command-of-mine; {START_UP[shell]}"
    start_up += f"source '{ROOT}/shell/{PLUGINS[shell]}'\n"
    with contextlib.closing(Terminal(shell, BINARY, start_up, WORK)) as terminal:
        settings = terminal.home / "ls-token/config.toml"
        settings.parent.mkdir(mode=0o700)  # it is the directory of stored tokens too
        settings.write_text(f'[profiles.laboratory]\nurl = "http://127.0.0.1:9"\npat = "file:{WORK}/pat"\n')
        if shell == "zsh":  # which has looked for commands before
            terminal.type("rehash")
            terminal.wait_for("ready> ")
        yield terminal


def completion_of_addresses(shell):
    """the Tab key completes paths below a profile's server, and neither values with them nor what is refused"""
    with laboratory(shell) as terminal:
        for typed, wanted in [
            ("lscurl /api/proj\t", "/api/projects/"),
            ("lscurl -sS /api/proj\t", "-sS /api/projects/"),
            ("lscurl http://127.0.0.1:9/api/proj\t", "http://127.0.0.1:9/api/projects/"),
            ("lscurl -X POST http://127.0.0.1:9/api/proj\t", "-X POST http://127.0.0.1:9/api/projects/"),
            ("lscurl -o /api/proj\t", "-o /api/proj"),
            ("lscurl -sSo /api/proj\t", "-sSo /api/proj"),
            ("lscurl -X /api/proj\t", "-X /api/proj"),
            ("lscurl --cacer\t", "--cacer"),
            ("lscurl --location-tr\t", "--location-tr"),
            # bash-completion knows few of curl's options, and not this one.
            ("lscurl --locatio\t /", "--locatio /" if shell == "bash" else "--location /"),
            ("lscurl -o /etc/os-rel\t", "-o /etc/os-release"),
        ]:
            terminal.press(typed + "\r")
            terminal.wait_for("got: ")
            got = terminal.wait_for("\\.\n")
            check(got.strip() == wanted, f"{typed!r} became {got!r}")
            terminal.wait_for("ready> ")


def own_completion(shell):
    """the Tab key completes ls-token's own flags and commands, and the names of the profiles"""
    with laboratory(shell) as terminal:
        terminal.press("ls-token --prof\tlab\tstat\t\r")
        terminal.wait_for("http://127.0.0.1:9")
        terminal.wait_for("ready> ")
        terminal.press("ls-token --format=js\t --profile=lab\t\r")
        terminal.wait_for("profile: laboratory")
        terminal.wait_for("ready> ")
        terminal.press("ls-token rotate --output /et\tos-rel\t\r")
        terminal.wait_for("file: /etc/os-release")
        terminal.wait_for("ready> ")
        terminal.press("ls-token -v curl --user-ag\t x /api/proj\t\r")
        terminal.wait_for("curl: http://127.0.0.1:9/api/projects/")
        terminal.wait_for("ready> ")
        terminal.press("ls_token --vers\t\r")
        terminal.wait_for(r"ls-token \d")
        terminal.wait_for("ready> ")
        terminal.press("ls-token status --url \t\r")
        terminal.wait_for("profile +laboratory")
        terminal.wait_for("ready> ")
        for before in "exec -- ", "exec ", "--profile laboratory exec -- ":
            terminal.press(f"ls-token {before}command-of-m\t /etc/os-rel\t\r")
            terminal.wait_for("got: /etc/os-release *.")
            terminal.wait_for("ready> ")


def unloading(shell):
    """unloading takes back what the Tab key has loaded"""
    with laboratory(shell) as terminal:
        for program in "ls-token", "ls_token":
            terminal.press(f"{program} --vers\t\r")
            terminal.wait_for(r"ls-token \d")
            terminal.wait_for("ready> ")
        terminal.type("print lo''aded $_comps[ls-token] $_comps[ls_token]")
        terminal.wait_for("loaded __ls_token_complete_own __ls_token_complete_own")
        terminal.wait_for("ready> ")
        terminal.type("ls-token_plugin_unload")
        terminal.wait_for("ready> ")
        terminal.type("print le''ft: ${(k)functions[(I)*ls?token*]} ${(k)_comps[(R)*ls?token*]}.")
        terminal.wait_for("left: *\\.")


def late_completion(shell):
    """compinit may run after the first prompt, and a completer that corrects gets nothing to correct"""
    start_up = f"PS1='ready> '; source '{ROOT}/shell/{PLUGINS[shell]}'\n"
    with contextlib.closing(Terminal(shell, FAKE, start_up, WORK, FAKE="true")) as terminal:
        terminal.type("autoload -Uz compinit; compinit -u")
        terminal.wait_for("ready> ")
        terminal.type("zstyle ':completion:*' completer _complete _approximate")
        terminal.wait_for("ready> ")
        completes(terminal)


def history(shell):
    """f14: loading by ls-token init is silent, and the history has what was typed and no secret"""
    variables = dict(line.removeprefix("export ").split("=", 1) for line in (WORK / "server").read_text().splitlines())
    load = "ls-token init fish | source" if shell == "fish" else f'eval "$(ls-token init {shell})"'
    with contextlib.closing(Terminal(shell, BINARY, START_UP[shell] + load, WORK, **variables)) as terminal:
        check(terminal.greeting == "", f"loading printed {terminal.greeting!r}")
        terminal.type("ls_token")
        terminal.wait_for("\n")
        token = terminal.wait_for("\n").strip()
        check(token.count(".") == 2, f"no token: {token!r}")
        terminal.wait_for("ready> ")
        terminal.type("lscurl -sS /api/projects/")
        terminal.wait_for('"results"')
        terminal.wait_for("ready> ")
        terminal.type("echo of my own making")
        terminal.leave()
        text = (terminal.home / ("fish/fish_history" if shell == "fish" else "history")).read_text()
    for typed in "ls_token", "lscurl -sS /api/projects/", "of my own making":
        check(typed in text, f"the history does not have {typed!r}")
    for secret in token, variables["LABEL_STUDIO_API_KEY"]:
        check(secret not in text, "the history has a secret")


def spinner(what):
    """a spinner says that it waits for {}, after a second, and leaves no trace"""
    server = socket.create_server(("127.0.0.1", 0))  # it takes connections and never answers
    with contextlib.closing(server), contextlib.closing(Terminal("bash", BINARY, START_UP["bash"], WORK)) as terminal:
        source = terminal.home / "bin/source"
        source.write_text("#!/bin/sh\n" + ("sleep 60\n" if what != "the server" else f"cat '{WORK}/pat'\n"))
        source.chmod(0o700)
        settings = terminal.home / "ls-token/config.toml"
        settings.parent.mkdir()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        settings.write_text(f'[profiles.x]\nurl = "{url}"\npat = "cmd:source"\n')
        if what == "the lock":
            terminal.type("ls-token 2>ls-token/errors & sleep 0.5; echo go''ing")
            terminal.wait_for("going")
            terminal.wait_for("ready> ")
        terminal.raw = ""
        terminal.type("ls-token")
        terminal.wait_for("ls-token: waiting for " + {"the source": "`source`", "the lock": "another"}.get(what, url))
        time.sleep(0.3)
        terminal.press("\x03")
        terminal.wait_for_status(130)
        drawn, _, after = terminal.raw.rpartition("waiting for")
        check(drawn.count("waiting for") > 1, "it does not turn")
        check(re.match(r"[^\r]*(\x1b\[K)?(\^C)?\r\x1b\[K", after), f"it is not wiped out: {after!r}")
        if what == "the lock":
            errors = (settings.parent / "errors").read_text()
            check("waiting" not in errors, f"it is drawn where no terminal is: {errors!r}")
            terminal.type("kill %1; wait")
            terminal.wait_for("[Tt]erminated")


def asks(shell):
    """f59: a source may ask on the terminal, also in $(), in a pipeline, twice at once, and after Ctrl-Z and fg"""
    variables = dict(line.removeprefix("export ").split("=", 1) for line in (WORK / "server").read_text().splitlines())
    with contextlib.closing(Terminal(shell, BINARY, START_UP[shell], WORK)) as terminal:
        source = terminal.home / "bin/source"
        source.write_text(
            f'#!/bin/sh\necho $$ >"{terminal.home}/id"\n'
            "stty -echo </dev/tty; echo PI''N? >/dev/tty; read -r pin </dev/tty; stty echo </dev/tty\n"
            f'echo "$pin" >>"{terminal.home}/pins"; [ "$pin" = 1234 ] && cat "{WORK}/pat"\n'
        )
        source.chmod(0o700)
        settings = terminal.home / "ls-token/config.toml"
        settings.parent.mkdir()
        settings.write_text(f'[profiles.x]\nurl = "{variables["LABEL_STUDIO_URL"]}"\npat = "cmd:source"\n')
        count = "tr -cd . | wc -c"
        pipeline = f"ls-token --no-cache | sh -c 'echo >piped; {count}'"
        for line, dots in (pipeline, 2), (f'echo "$(ls-token --no-cache)" | {count}', 2):
            terminal.type(line)
            terminal.wait_for("PIN[?]")
            terminal.type("1234")
            terminal.wait_for(f"\n *{dots}\n")
            terminal.wait_for("ready> ")
        # Two that read one keyboard may get parts of each other's lines, but each gets the end of one.
        terminal.type(f"ls-token --no-cache 2>&1 | cat >first | {pipeline}")
        for _ in range(2):
            terminal.wait_for("PIN[?]")
        for _ in range(2):
            terminal.type("1234")
        terminal.wait_for("\n *[02]\n")
        terminal.wait_for("ready> ")
        (terminal.home / "pins").unlink()
        (terminal.home / "piped").unlink()
        for line in pipeline, "ls-token --no-cache >out":
            terminal.type(line)
            terminal.wait_for("PIN[?]")
            # A process that is being started cannot be stopped.
            wait_until((terminal.home / "piped").exists, "the pipeline does not start")
            terminal.press("\x1a")
            terminal.wait_for("[Ss]topped|suspended")
            terminal.wait_for("ready> ")
            stat = pathlib.Path("/proc", (terminal.home / "id").read_text().strip(), "stat")
            wait_until(lambda: ") T " in stat.read_text(), "the source is not stopped")
            terminal.type("echo al''ive")
            terminal.wait_for("\nalive")
            terminal.wait_for("ready> ")
            terminal.type("fg")
            wait_until(lambda: os.tcgetpgrp(terminal.screen) != terminal.pid, "it is not in the foreground")
            terminal.type("1234")
            if line == pipeline:
                terminal.wait_for("\n *2\n")
            terminal.wait_for("ready> ")
        for line in "ls-token --no-cache", pipeline:
            terminal.type(line)
            terminal.wait_for("PIN[?]")
            terminal.press("\x03")
            terminal.wait_for("ready> ")
            terminal.type("echo al''ive")
            terminal.wait_for("\nalive")
            terminal.wait_for("ready> ")
        pins = (terminal.home / "pins").read_text().split()
        check(set(pins) == {"1234"} and len(pins) == 2, f"the source read {pins}")


# antigen and zplug as Debian packages them; for the others, what they run according to their documentation.
MANAGERS = {
    "antigen": "source /usr/share/zsh-antigen/antigen.zsh; antigen bundle $DIR --no-local-clone; antigen apply",
    "zplug": "source /usr/share/zplug/init.zsh; zplug $DIR, from:local; zplug load",
    "oh-my-zsh": "fpath=($DIR $fpath); autoload -Uz compinit; compinit -u; source $DIR/ls-token.plugin.zsh",
    "antidote": "fpath+=( $DIR ); source $DIR/ls-token.plugin.zsh; autoload -Uz compinit; compinit -u",
    "sheldon": "eval 'source \"$DIR/ls-token.plugin.zsh\"'; autoload -Uz compinit; compinit -u",
    "zinit": "compdef() { :; }; load() { local ZERO=$DIR/ls-token.plugin.zsh PMSPEC=0uUpiPs; source $ZERO; }; load;"
    "unfunction compdef; autoload -Uz compinit; compinit -u",
}


def managers(shell):
    """{} loads it from its directory, with completion, at the first start and from the manager's cache"""
    # Neither antigen nor zplug can handle a space in the name of a directory.
    with tempfile.TemporaryDirectory(prefix="ls-token.") as home:
        shutil.copytree(ROOT / "shell", f"{home}/ls-token")
        start_up = f"DIR={home}/ls-token; {MANAGERS[shell]}; PS1='ready> '"
        for _ in "first", "second":
            with contextlib.closing(Terminal("zsh", FAKE, start_up, home, HOME=home)) as terminal:
                check(terminal.greeting == "", f"loading printed {terminal.greeting!r}")
                completes(terminal)


CASES = {
    **dict.fromkeys((asks, ctrl_c, ctrl_c_in_a_loop, ctrl_z, background, keyboard, completion, completion_of_addresses, own_completion, history), PLUGINS),
    # Not for fish, where Ctrl-C ends no loop around a function.
    ctrl_c_in_a_loop_of_the_function: ("bash", "zsh"),
    late_completion: ("zsh",),
    unloading: ("zsh",),
    managers: MANAGERS,
    spinner: ("the source", "the lock", "the server"),
}

for case, shells in CASES.items():
    for shell in shells:
        sentence = f"{shell}: {case.__doc__.format(shell)}"
        try:
            case(shell)
            print(f"ok - {sentence}", flush=True)
        except Failure as failure:
            print(f"FAILED - {sentence}\n    {failure}", flush=True)
