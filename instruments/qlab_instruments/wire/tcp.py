"""A raw TCP line."""

import contextlib
import socket

from qlab_instruments.wire.lines import Settings

_CHUNK = 1 << 16


class TCPLine:
    """Messages over a TCP socket, each sent at once: with Nagle's algorithm a write and a query cost 44 ms."""

    def __init__(self, host: str, port: int, settings: Settings) -> None:
        self._end, self._sent = settings.terminator.encode("ascii"), settings.sent.encode("ascii")
        self._held = b""
        self._socket = socket.create_connection((host, port), timeout=settings.timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def write(self, message: str) -> None:
        """Send a message."""
        self._socket.sendall(message.encode("ascii") + self._sent)

    def write_bytes(self, message: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(message)

    def read(self) -> str:
        """Return the next message."""
        while self._end not in self._held:
            came = self._socket.recv(_CHUNK)
            if not came:
                raise ConnectionResetError("the device closed the connection")
            self._held += came
        message, _, self._held = self._held.partition(self._end)
        return message.decode("ascii")

    def clear(self) -> None:
        """Throw away what has come."""
        self._held = b""
        timeout = self._socket.gettimeout()
        self._socket.settimeout(0.05)
        try:
            while self._socket.recv(_CHUNK):
                pass
        except TimeoutError:
            return
        finally:
            self._socket.settimeout(timeout)
        raise ConnectionResetError("the device closed the connection")

    def close(self) -> None:
        """Let go; a call that waits in another thread ends with an error."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
