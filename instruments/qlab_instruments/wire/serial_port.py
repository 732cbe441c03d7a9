"""A serial line."""

import contextlib
from typing import Any

from qlab.errors import UsageError
from qlab_instruments.wire.lines import Settings


class SerialLine:
    """Messages over a serial port, which nobody else can open meanwhile."""

    def __init__(self, port: str, settings: Settings) -> None:
        try:
            import serial
        except ModuleNotFoundError:
            raise UsageError("Serial ports need pyserial.", "pip install 'qlab-metrology[visa]'") from None
        self._end, self._sent = settings.terminator.encode("ascii"), settings.sent.encode("ascii")
        self._port: Any = serial.Serial(
            port, settings.baud, timeout=settings.timeout, write_timeout=settings.timeout, exclusive=True
        )

    def write(self, message: str) -> None:
        """Send a message."""
        self._port.write(message.encode("ascii") + self._sent)

    def write_bytes(self, message: bytes) -> None:
        """Send bytes."""
        self._port.write(message)

    def read(self) -> str:
        """Return the next message."""
        came: bytes = self._port.read_until(self._end)
        if not came.endswith(self._end):
            raise TimeoutError(f"{came!r} came, and no end of a message")
        return came[: -len(self._end)].decode("ascii")

    def clear(self) -> None:
        """Throw away what has come."""
        self._port.reset_input_buffer()

    def close(self) -> None:
        """Let go; a call that waits in another thread ends with an error."""
        with contextlib.suppress(Exception):
            self._port.cancel_read()
        self._port.close()
