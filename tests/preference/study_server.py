"""A real `kakugo-preference serve` in a process of its own, and requests to it."""

import http.client
import random
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlencode

from small_study import field

# Seconds. Only a failure waits so long.
PATIENCE = 60.0


class Server:
    """Serves a pack until it is killed. `port`, `admin`: 0 takes any that is free, as it is best;
    `address` is where raters reach it."""

    def __init__(self, pack: Path, *options: str, port: int = 0, admin: int = 0) -> None:
        command = [sys.executable, "-m", "preference.cli", "serve", str(pack)]
        self.process = subprocess.Popen(
            [*command, "--port", str(port), "--admin-port", str(admin), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        # It says where it listens, one line a kind of address, and then nothing more.
        told = read_until(self.process, r"raters.*: .*:(\d+)/\n(?s:.*)counts.*: .*:(\d+)/\n")
        self.said = told.string
        self.port, self.admin = int(told[1]), int(told[2])
        self.address = f"http://127.0.0.1:{self.port}"

    def kill(self) -> str:
        """Ends it with SIGKILL; returns all that it has said."""
        self.process.send_signal(signal.SIGKILL)
        if self.process.stdout and not self.process.stdout.closed:
            self.said += self.process.communicate()[0]
        return self.said


def read_until(process: "subprocess.Popen[str]", pattern: str) -> re.Match[str]:
    """What a process says until it has said the pattern; kills one that does not say it."""
    assert process.stdout is not None
    said = ""
    impatient = threading.Timer(PATIENCE, process.kill)
    impatient.start()
    try:
        while not (found := re.search(pattern, said)):
            line = process.stdout.readline()
            if not line:
                process.kill()
                raise RuntimeError(f"it ended, or said too little:\n{said}")
            said += line
        return found
    finally:
        impatient.cancel()


def free_port() -> int:
    """A port for a server that must come back at the same one.

    Below those that the system gives away by itself, so that no other program gets it meanwhile.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as bound:
            try:
                bound.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def request(
    port: int, method: str, path: str, form: dict[str, str] | None, cookie: str
) -> tuple[int, str, str]:
    """(status, body, cookie) of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        headers = {"Cookie": cookie} if cookie else {}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        set_cookie = answer.getheader("set-cookie", "").split(";")[0]
        return answer.status, answer.read().decode("utf-8"), set_cookie or cookie
    finally:
        connection.close()


def get(port: int, path: str, cookie: str = "") -> str:
    """A page's HTML."""
    return request(port, "GET", path, None, cookie)[1]


def begin(port: int, token: str) -> str:
    """Takes up an invitation and consents; returns the rater's cookie."""
    _, _, cookie = request(port, "POST", "/start", {"token": token}, "")
    page = get(port, "/consent", cookie)
    request(port, "POST", "/enrol", {"form": field(page, "form")}, cookie)
    return cookie
