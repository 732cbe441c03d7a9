"""Simulated devices on real loopback sockets."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from qlab_instruments.dialogues.device import SimulatedDevice


class Served:
    """A device behind a TCP port of this machine, one message a line, as long as the `with` lasts."""

    def __init__(
        self,
        device: SimulatedDevice,
        terminator: str = "\n",
        ending: str | None = None,
        reply: Callable[[str], list[str]] | None = None,
    ) -> None:
        self.device = device
        self._reply_end = terminator.encode("ascii")
        self._end = (terminator if ending is None else ending).encode("ascii")
        self._reply = reply or device.hear
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.address = f"TCPIP::127.0.0.1::{self.port}::SOCKET"
        self._thread = threading.Thread(target=self._accept, daemon=True, name="simulated device")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)

    def hang_up(self) -> None:
        """Close every connection, as a device does whose power goes; the port stays."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name="connection").start()

    def _serve(self, connection: socket.socket) -> None:
        held = b""
        with connection:
            while True:
                try:
                    came = connection.recv(1 << 16)
                except OSError:
                    break
                if not came:
                    break
                held += came
                while (message := self._cut(held)) is not None:
                    head, held = message
                    self._answer(connection, head)
        self._open.discard(connection)

    def _cut(self, held: bytes) -> tuple[str, bytes] | None:
        """Return the first whole message and the rest; a block of bytes in it may hold terminators."""
        if not self._end:
            return (held.decode("latin-1"), b"") if held else None
        end = held.find(self._end)
        mark = held.find(b"#")
        if (
            0 <= mark < (end if end >= 0 else len(held))
            and mark + 1 < len(held)
            and held[mark + 1 : mark + 2].isdigit()
        ):
            digits = int(held[mark + 1 : mark + 2])
            if digits:
                if len(held) < mark + 2 + digits:
                    return None
                start = mark + 2 + digits
                count = int(held[mark + 2 : start])
                end = held.find(self._end, start + count)
        if end < 0:
            return None
        return held[:end].decode("latin-1"), held[end + len(self._end) :]

    def _answer(self, connection: socket.socket, message: str) -> None:
        with self._lock:
            replies = self._reply(message)
        if replies:
            text = ";".join(replies)
            connection.sendall(text.encode("latin-1") + self._reply_end)
