"""Servers of control systems in processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from qlab.errors import InstrumentError

SERVERS = Path(__file__).parent / "servers"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Started:
    """A server in a process of its own."""

    def __init__(self, command, ready, environment):
        self.process = subprocess.Popen(
            [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env={**os.environ, **environment},
        )  # fmt: skip
        for line in self.process.stdout:
            if ready in line:
                break

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()


def until_open(source):
    """Open it, as long as its new server is not yet found."""
    until = time.monotonic() + 30
    while True:
        try:
            return source.open()
        except InstrumentError as error:
            if "does not answer" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.3)
