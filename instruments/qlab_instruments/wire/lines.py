"""What a line to a device is, and which kind an address asks for."""

import re
from dataclasses import dataclass
from typing import Protocol

_SOCKET = re.compile(r"^TCPIP\d*::(?P<host>.+)::(?P<port>\d+)::SOCKET$", re.IGNORECASE)
_SERIAL = re.compile(r"^ASRL(?P<port>.+?)(::INSTR)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """How to speak on a line: VISA library, what ends a reply, s to wait for one, baud rate of serial ports.

    `ending` is what ends a message sent, where it is not what ends a reply.
    """

    library: str = ""
    terminator: str = "\n"
    ending: str | None = None
    timeout: float = 3.0
    baud: int = 9600

    @property
    def sent(self) -> str:
        """What ends a message sent."""
        return self.terminator if self.ending is None else self.ending


class Line(Protocol):
    """A line that carries messages. Anything may be raised where it breaks: the instrument makes one error of it."""

    def write(self, message: str) -> None:
        """Send a message; its terminator is added."""
        ...

    def write_bytes(self, message: bytes) -> None:
        """Send bytes as they are."""
        ...

    def read(self) -> str:
        """Return the next message without its terminator; raise TimeoutError where none comes."""
        ...

    def clear(self) -> None:
        """Throw away what has come and was not read."""
        ...

    def close(self) -> None:
        """Let go of the device; from another thread it ends a call that hangs."""
        ...


def open_line(address: str, settings: Settings) -> Line:
    """Return an open line to a VISA address.

    With no library named, `TCPIP::host::port::SOCKET` and `ASRL` go over sockets and serial ports of our own, which
    need no VISA and do not wait for Nagle's algorithm; the rest, and everything where a library is named, over PyVISA.
    """
    if not settings.library:
        if found := _SOCKET.match(address):
            from qlab_instruments.wire.tcp import TCPLine

            return TCPLine(found["host"], int(found["port"]), settings)
        if found := _SERIAL.match(address):
            from qlab_instruments.wire.serial_port import SerialLine

            port = found["port"]
            return SerialLine(f"COM{port}" if port.isdigit() else port, settings)
    from qlab_instruments.wire.visa import VisaLine

    return VisaLine(address, settings)
