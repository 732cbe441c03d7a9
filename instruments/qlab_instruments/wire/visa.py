"""A line over PyVISA: GPIB, USB, HiSLIP, VXI-11, and whatever else a VISA library knows."""

import contextlib
import socket
import threading
from typing import Any

from qlab.errors import UsageError
from qlab_instruments.wire.lines import Settings

CLEAR = (
    0.5  # s that a device clear may take: pyvisa-py never returns from one on a socket that the peer closed
)


class VisaLine:
    """Messages over PyVISA."""

    def __init__(self, address: str, settings: Settings) -> None:
        try:
            import pyvisa
        except ModuleNotFoundError:
            raise UsageError(
                "Instruments behind VISA need PyVISA.", "pip install 'qlab-metrology[visa]'"
            ) from None
        self._timeout_error: type[Exception] = pyvisa.errors.VisaIOError
        self._manager: Any = pyvisa.ResourceManager(settings.library)
        try:
            self._session: Any = self._manager.open_resource(
                address, read_termination=settings.terminator, write_termination=settings.sent
            )
        except Exception:
            self._manager.close()
            raise
        self._session.timeout = 1000 * settings.timeout
        if address.upper().startswith("ASRL"):
            self._session.baud_rate = settings.baud
        self._send_at_once()

    def _send_at_once(self) -> None:
        """Switch Nagle's algorithm off where the library does not do so itself."""
        sessions = getattr(self._manager.visalib, "sessions", {})
        interface = getattr(sessions.get(self._session.session), "interface", None)
        for part in (interface, getattr(interface, "_sync", None), getattr(interface, "_async", None)):
            if isinstance(part, socket.socket):
                part.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, message: str) -> None:
        """Send a message."""
        self._session.write(message)

    def write_bytes(self, message: bytes) -> None:
        """Send bytes."""
        self._session.write_raw(message)

    def read(self) -> str:
        """Return the next message."""
        return str(self._session.read())

    def clear(self) -> None:
        """Ask the device to forget what it was about to say, in a thread that may be left behind."""
        cleared = threading.Event()

        def clear() -> None:
            with contextlib.suppress(Exception):
                self._session.clear()
                cleared.set()

        threading.Thread(target=clear, daemon=True, name="clear").start()
        if not cleared.wait(CLEAR):
            raise TimeoutError("the device did not clear its buffers")

    def close(self) -> None:
        """Let go."""
        for part in (self._session, self._manager):
            with contextlib.suppress(Exception):
                part.close()
