"""Messages between the window, the supervisor and the bench process: JSON over an authenticated local socket."""

import contextlib
import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from qlab.settings import runtime_folder

Message = dict[str, Any]


@dataclass(frozen=True)
class Address:
    """Where a supervisor listens, and the key that proves who knocks."""

    where: str
    key: str
    pid: int

    @classmethod
    def fresh(cls) -> "Address":
        """Return a new address for this process."""
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        where = (
            rf"\\.\pipe\qlab-{name}" if sys.platform == "win32" else str(runtime_folder() / f"{name}.sock")
        )
        return cls(where, secrets.token_hex(32), os.getpid())

    def write(self, path: Path) -> None:
        """Leave the address in a file that only this user can read."""
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(
            json.dumps({"where": self.where, "key": self.key, "pid": self.pid}), encoding="utf-8"
        )
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Address | None":
        """Return the address in a file, or None where there is none that can be read."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(data["where"]), str(data["key"]), int(data["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


class Channel:
    """One end of a connection; `send` may be called from any thread."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def to(cls, address: Address) -> "Channel":
        """Connect to an address; raises OSError where nobody answers."""
        return cls(Client(address.where, authkey=bytes.fromhex(address.key)))

    def send(self, message: Message) -> bool:
        """Send a message; return False where the other end is gone."""
        data = json.dumps(message, default=str).encode()
        try:
            with self._lock:
                self._connection.send_bytes(data)
        except (OSError, ValueError):
            return False
        return True

    def listen(self, heard: Callable[[Message], None], gone: Callable[[], None]) -> threading.Thread:
        """Call `heard` for each message, from a thread of its own, and `gone` when the other end has left."""

        def loop() -> None:
            while True:
                try:
                    message = json.loads(self._connection.recv_bytes())
                except (OSError, EOFError, ValueError, TypeError):
                    break
                heard(message)
            gone()

        thread = threading.Thread(target=loop, daemon=True, name="qlab channel")
        thread.start()
        return thread

    def close(self) -> None:
        """Close this end; the other end and the thread that listens here notice it at once."""
        with contextlib.suppress(OSError):
            if sys.platform != "win32":
                # Closing alone would leave the connection open as long as a thread waits in it.
                with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
                    same.shutdown(socket.SHUT_RDWR)
            self._connection.close()


def listener(address: Address) -> Listener:
    """Return a listener at an address."""
    return Listener(address.where, authkey=bytes.fromhex(address.key))


def address_file() -> Path:
    """Return the file in which this user's supervisor leaves its address."""
    return runtime_folder() / "supervisor.json"
