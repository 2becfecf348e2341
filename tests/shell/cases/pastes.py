"""Pastes every command line of README, `--help`, the manual and the plugins into stock shells. pastes.py ROOT BINARY WORK.

A paste must leave no quote open (which fish is not asked), and must ask no host that it does not name: a listener is
curl's proxy for every host, and keeps their names. zsh has comments off at the prompt, and runs what is behind a command.
"""

import contextlib
import pathlib
import re
import socketserver
import subprocess
import sys
import threading

ROOT, BINARY, WORK = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(ROOT / "tests/shell/kit"))
from terminal import Failure, Terminal, check  # noqa: E402 (the line above says where it is)

PROMPT = {
    "zsh": "PS1='ready> '",
    "bash": "PS1='ready> '",
    "fish": "set fish_greeting; function fish_prompt; echo -n 'ready> '; end",
}
# Blocks of README that are no commands, by how they begin: a transcript, messages, Python, settings, YAML, the chart.
NO_COMMANDS = ("$ ", "ls-token: ", "import ", "default = ", "[profiles.", "- run: ", "settings   ")
SERVER = "label.example.com"


class Listener(socketserver.ThreadingTCPServer):
    """A proxy that opens no connection, and knows which hosts it was asked for."""

    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            target = self.rfile.readline().decode().split(" ")[1]
            self.server.hosts.add(re.split("[:/]", re.sub(r"^\w+://", "", target))[0])
            self.wfile.write(b"HTTP/1.1 503 Stop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.hosts = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *reason):
        self.shutdown()
        super().__exit__(*reason)


def run(*words):
    return subprocess.run([BINARY, *words], check=True, capture_output=True, text=True).stdout


def blocks(text):
    """Returns the indented blocks of a text in Markdown, without their indentation."""
    found = re.findall(r"(?:^    .*\n)+", text, re.M)
    return [re.sub("^    ", "", block, flags=re.M).rstrip("\n") for block in found]


def of_readme():
    every = blocks((ROOT / "README.md").read_text())
    for start in NO_COMMANDS:
        check(any(block.startswith(start) for block in every), f"README has no block that begins with {start!r}")
    return [block for block in every if not block.startswith(NO_COMMANDS)]


def of_help():
    return blocks(run("--help").split("Examples:\n")[1].split("\nSettings:")[0])


def of_manual():
    environment = {"MANPAGER": "cat", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    page = subprocess.run(["man", "-l", "-"], input=run("man"), check=True, capture_output=True, text=True, env=environment)
    examples = page.stdout.split("EXAMPLES")[1].split("SEE ALSO")[0]
    return re.findall(r"^ {9,}(\S.*)$", examples, re.M)


def of_plugins():
    heads = [path.read_text().split("\n\n")[0] for path in (ROOT / "shell").iterdir()]
    return [line for head in heads for line in re.findall(r"^#   (?:\S+ {2,})?(\S.*)$", head, re.M)]


SOURCES = {"README": (of_readme, 18), "--help": (of_help, 4), "the manual": (of_manual, 4), "the plugins": (of_plugins, 10)}


def parses(text):
    return subprocess.run(["fish", "--no-execute"], input=text, capture_output=True, text=True).returncode == 0


@contextlib.contextmanager
def stock(shell, listener):
    """A shell of which nothing is set but the prompt, with tools that do nothing, and curl behind the listener."""
    proxy = f"http://127.0.0.1:{listener.server_address[1]}"
    variables = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), proxy) | {"no_proxy": "", "FAKE": "echo '{}'"}
    fake = ROOT / "tests/shell/kit/ls-token"
    with contextlib.closing(Terminal(shell, fake, PROMPT[shell], WORK, **variables)) as terminal:
        for name in "lscurl", "cargo", "git", "op", "python3", "antigen", "zinit":
            tool = terminal.home / "bin" / name
            tool.write_text("#!/bin/sh\necho '{\"next\": null, \"results\": []}'\n")
            tool.chmod(0o700)
        yield terminal


def paste(terminal, text, bracketed):
    """Pastes it as a terminal does that marks pastes, or as one that types them, and waits for a prompt of its own."""
    terminal.press(f"\x1b[200~{text}\x1b[201~\r" if bracketed else text.replace("\n", "\r") + "\r")
    terminal.type("")
    terminal.type("echo the paste has en''ded")
    try:
        terminal.wait_for("the paste has ended")
    except Failure as failure:
        raise Failure(f"{text!r} leaves something open: {failure}") from None


def pasted(shell, source):
    """{} can be pasted, and asks no other host"""
    collect, least = SOURCES[source]
    texts = collect()
    check(len(texts) >= least, f"only {texts} were found")
    check(not [text for text in texts if re.search(r"\s#", text)], "a comment stands behind a command")
    if shell == "fish":
        # It runs nothing of what it cannot parse, as are sh's assignments and loops, and leaves it to be corrected.
        texts = [text for text in texts if parses(text)]
        check(texts, "fish can parse none of it")
    with Listener() as listener, stock(shell, listener) as terminal:
        for text in texts:
            for bracketed in False, True:
                paste(terminal, text, bracketed)
                check(listener.hosts <= {SERVER}, f"{text!r} asks {listener.hosts}")
        check(listener.hosts or source == "the plugins", "no curl ran: the test lost its subject")


def a_comment(shell, _):
    """a comment behind a command is seen by the listener where the shell runs it"""
    with Listener() as listener, stock(shell, listener) as terminal:
        paste(terminal, f'curl -H "Authorization: Bearer $(ls-token)" https://{SERVER}/   # any tool', bracketed=True)
        check(listener.hosts == {SERVER, *(("any", "tool") if shell == "zsh" else ())}, f"it asks {listener.hosts}")


for shell in PROMPT:
    for case, source in [(a_comment, ""), *((pasted, source) for source in SOURCES)]:
        sentence = f"{shell}: {case.__doc__.format(source)}"
        try:
            case(shell, source)
            print(f"ok - {sentence}", flush=True)
        except Failure as failure:
            print(f"FAILED - {sentence}\n    {failure}", flush=True)
