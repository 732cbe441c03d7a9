"""Knobs over PyVISA: what a knob's `get` and `set` say is sent as it stands."""

import contextlib
from typing import Any

from qlab.errors import InstrumentError, LostError, UsageError
from qlab.instrument import Instrument, Quantity


class VisaInstrument(Instrument):
    """An instrument behind a VISA address.

    `address` is a VISA resource name, `library` a VISA library ("@py", "@sim", a file with "@sim", "" for the
    system's own), `terminator` ends each message, `timeout` is in s. After each set, `*OPC?` is asked where
    `confirm` says so, because `write` returns before the instrument has acted.
    """

    def __init__(
        self,
        address: str,
        *,
        library: str = "@py",
        terminator: str = "\n",
        timeout: float = 3.0,
        confirm: bool = True,
    ) -> None:
        super().__init__()
        self.address, self.library = address, library
        self.terminator, self.timeout, self.confirm = terminator, timeout, confirm
        # VISA's own timeout comes first; a library that hangs all the same is cut off after this.
        self.call_timeout = 2 * timeout + 2.0
        self._manager: Any = None
        self._session: Any = None

    def open(self) -> None:
        """Connect and ask who is there; raises InstrumentError where nobody answers."""
        try:
            import pyvisa
        except ModuleNotFoundError:
            raise UsageError(
                "Instruments behind VISA need PyVISA.", "pip install 'qlab-metrology[visa]'"
            ) from None
        try:
            self._manager = pyvisa.ResourceManager(self.library)
            self._session = self._manager.open_resource(
                self.address, read_termination=self.terminator, write_termination=self.terminator
            )
            self._session.timeout = 1000 * self.timeout
            self.identity()
        except Exception as error:
            # The backends raise a dozen kinds of error here, some of them only at the first query.
            self.close()
            raise InstrumentError(
                f"{self.name} does not answer at {self.address} ({error}).",
                "Check its address, cable and power.",
            ) from error

    def close(self) -> None:
        """Let go of the instrument."""
        session, self._session = self._session, None
        manager, self._manager = self._manager, None
        for part in (session, manager):
            if part is not None:
                part.close()

    def abort(self) -> None:
        """Close the session under a call that hangs."""
        with contextlib.suppress(Exception):
            self.close()

    def identity(self) -> dict[str, str]:
        """Return what `*IDN?` says."""
        fields = [part.strip() for part in self._query("*IDN?").split(",")]
        return dict(zip(("vendor", "model", "serial", "firmware"), fields, strict=False))

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Send the knob's query and read a number from the reply."""
        reply = self._query(knob.get_command)
        try:
            number = float(reply)
        except ValueError:
            raise InstrumentError(
                f"{self.name} answered {reply!r} to {knob.get_command}.",
                "A number was expected: check the driver.",
            ) from None
        value: float | bool = knob.kind(number)
        return value

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Send the knob's command and wait until the instrument has acted."""
        command = knob.set_command.format(int(value) if knob.kind is bool else value)
        if self.confirm:
            self._query(f"{command};*OPC?")
        else:
            self._transact(lambda session: session.write(command))

    def _query(self, text: str) -> str:
        return str(self._transact(lambda session: session.query(text))).strip()

    def _transact(self, action: Any) -> Any:
        if self._session is None:
            raise LostError(f"{self.name} is not connected.", "Open the bench first.", self)
        try:
            return action(self._session)
        except UnicodeDecodeError as error:
            raise InstrumentError(
                f"{self.name} answered bytes that are no text ({error.object[:20]!r}).",
                "Check its baud rate, its terminator and the driver.",
            ) from error
        except Exception as error:
            # VisaIOError, BrokenPipeError, SerialException ...: one kind from here on. After a timeout a late
            # answer may still be on its way, to be taken for that of the next query: the connection is lost too.
            raise LostError(
                f"{self.name} did not answer ({type(error).__name__}: {error}).",
                "Check its connection.",
                self,
            ) from error
