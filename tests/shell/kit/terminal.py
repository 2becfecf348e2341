"""A shell in a terminal of its own, for the cases that need somebody at the keyboard."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import tempfile
import termios
import time

ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\a\x1b]*(\a|\x1b\\)|[()][A-Z0-9]|[=>])|[\r\x0e\x0f]")
PATIENCE = 60  # seconds; longer than anything takes, on a busy machine too


class Failure(Exception):
    """What was waited for in vain, and what was there instead."""


def check(holds, message):
    if not holds:
        raise Failure(message)


def wait_until(holds, message):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < deadline, message)
        time.sleep(0.05)


class Terminal:
    """A shell with `start_up` as its start-up file, which has to set the prompt to `ready> `."""

    def __init__(self, shell, ls_token, start_up, work, **variables):
        self.shell = shell
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="terminal.", dir=work))
        for name in ("bin", "runtime", "fish/generated_completions"):  # the last, or fish generates some
            (self.home / name).mkdir(mode=0o700, parents=True)
        (self.home / "bin/ls-token").symlink_to(ls_token)
        file, *command = {
            "bash": (".bashrc", "bash", "--rcfile", f"{self.home}/.bashrc"),
            "zsh": (".zshrc", "zsh", "-d"),
            "fish": ("fish/config.fish", "fish"),
        }[shell]
        (self.home / file).write_text(start_up)
        environment = {
            "PATH": f"{self.home}/bin:{os.environ['PATH']}",
            "HOME": str(self.home),
            "ZDOTDIR": str(self.home),
            "RECORD": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "XDG_DATA_HOME": str(self.home),
            "XDG_RUNTIME_DIR": f"{self.home}/runtime",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.chdir(self.home)
            os.execvpe(command[0], command, environment | variables)
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        self.text = self.raw = ""
        self.greeting = self.wait_for("ready> ").strip(" \n%#\u23ce")  # zsh and fish mark a new line

    def press(self, keys):
        os.write(self.screen, keys.encode())

    def type(self, line):
        self.press(line + "\r")

    def wait_for(self, pattern):
        """Waits until `pattern` is on the screen, below where the last wait ended, and returns what came before it."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text)):
            ready = select.select([self.screen], [], [], max(0, deadline - time.monotonic()))[0]
            check(ready, f"waited for {pattern!r} and saw {self.text!r}")
            try:
                new = os.read(self.screen, 65536).decode(errors="replace")
                self.raw += new
                self.text = ESCAPES.sub("", self.text + new)
            except OSError:
                raise Failure(f"waited for {pattern!r}, saw {self.text!r} and the end of the shell") from None
        before, self.text = self.text[: found.start()], self.text[found.end() :]
        return before

    def wait_for_status(self, status):
        """Waits for a prompt, and for the status of the command before it."""
        self.wait_for("ready> ")
        self.type("echo status is " + ("$status" if self.shell == "fish" else "$?"))
        self.wait_for(f"status is {status}\\b")

    def leave(self):
        """Waits for a prompt, leaves the shell and waits for its end."""
        self.wait_for("ready> ")
        self.type("exit")
        os.waitpid(self.pid, 0)
        self.pid = 0

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.screen)
