"""Zurich Instruments MFLI: a lock-in amplifier behind a data server; needs the maker's package zhinst-core."""

import contextlib
from collections.abc import Iterator
from typing import Any

from qlab.errors import InstrumentError
from qlab.instrument import Instrument, Knob, Quantity, Switch
from qlab_instruments.vendor import package, translated

INSTALL = "pip install zhinst-core"


class MFLI(Instrument):
    """Demodulator 1 and signal output 1. `address` is the device ("dev4321"), `host` where its data server runs.

    A data server that does not hold the device yet connects it over `interface`. What the installed options change is
    asked of the device: with MF-F5M it goes to 5 MHz, with MF-MD the first mixer channel drives the output.
    """

    title = "MFLI"
    vendor = "Zurich Instruments"

    x = Knob("V", get="demods/0/sample", settable=False, doc="In phase, rms")
    y = Knob("V", get="demods/0/sample", settable=False, doc="In quadrature, rms")
    frequency = Knob("Hz", get="oscs/0/freq", set="oscs/0/freq", limits=(0.0, 5e6), tolerance=1e-3)
    time_constant = Knob("s", get="demods/0/timeconstant", set="demods/0/timeconstant", limits=(337e-9, 83.0))
    amplitude = Knob(
        "V",
        get="sigouts/0/amplitudes/{mixer}",
        set="sigouts/0/amplitudes/{mixer}",
        limits=(0.0, 10.0),
        safe=0.0,
        tolerance=1e-3,
        doc="Peak, of the sine at the output; within its range",
    )
    range = Knob(
        "V", get="sigouts/0/range", set="sigouts/0/range", limits=(0.01, 10.0), choices=(0.01, 0.1, 1.0, 10.0)
    )
    voltage = Knob(
        "V", get="sigouts/0/offset", set="sigouts/0/offset", limits=(-10.0, 10.0), safe=0.0, doc="Offset"
    )
    on = Switch(get="sigouts/0/on", set="sigouts/0/on", safe=False, doc="Signal output 1")

    def __init__(
        self,
        address: str,
        *,
        host: str = "localhost",
        port: int = 8004,
        interface: str = "1GbE",
        library: Any = None,
    ) -> None:
        super().__init__()
        self.address, self.host, self.port, self.interface = address, host, port, interface
        self._mixer = 1
        self._library, self._server = library, None

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Give a simulated package in place of the maker's."""
        from qlab_instruments.dialogues import zhinst

        yield {"address": "dev4321", "library": zhinst.Package()}

    def open(self) -> None:
        """Connect to the data server, and see that it has the device."""
        if self._library is None:
            self._library = package("zhinst.core", INSTALL)
        with translated(self):
            server = self._library.ziDAQServer(self.host, self.port, 6)
            self._server = server
            if self.address.upper() not in server.getString("/zi/devices/connected").upper().split(","):
                server.connectDevice(self.address, self.interface)
            kind = self.identity()["model"]
            if kind not in {"MFLI", "MFIA"}:
                self.close()
                raise InstrumentError(
                    f"{self.address} is no MFLI: it says {kind!r}.", "Check the address, or the driver."
                )
            self._know(str(self._ask("getString", "features/options")).split())

    def _know(self, options: list[str]) -> None:
        """Take what the installed options change, and let demodulator and mixer channel work."""
        self.model_limits = {"frequency": (0.0, 5e6 if "F5M" in options else 500e3)}
        self._mixer = 0 if "MD" in options else 1
        self._ask("setInt", "demods/0/enable", 1)
        self._ask("setInt", f"sigouts/0/enables/{self._mixer}", 1)

    def close(self) -> None:
        """Let go of the data server."""
        server, self._server = self._server, None
        if server is not None:
            with contextlib.suppress(Exception):
                server.disconnect()

    def identity(self) -> dict[str, str]:
        """Return what it is."""
        with translated(self):
            kind = self._ask("getString", "features/devtype")
            return {"vendor": self.vendor, "model": kind, "serial": self._ask("getString", "features/serial")}

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Read a node."""
        with translated(self):
            if knob.name in {"x", "y"}:
                return float(self._ask("getSample", knob.get_command)[knob.name][0])
            value = self._ask("getInt" if knob.kind is bool else "getDouble", knob.get_command)
            return bool(value) if knob.kind is bool else float(value)

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set a node, and wait until the device has it."""
        with translated(self):
            if knob.kind is bool:
                self._ask("setInt", knob.set_command, int(value))
            else:
                self._ask("setDouble", knob.set_command, float(value))
            server: Any = self._server
            server.sync()

    def _ask(self, method: str, node: str, *values: Any) -> Any:
        if self._server is None:
            raise InstrumentError(f"{self.name} is not connected.", "Open the bench first.")
        return getattr(self._server, method)(f"/{self.address}/{node.format(mixer=self._mixer)}", *values)
