"""National Instruments DAQmx: a gated counter and an analogue input; needs NI's driver and the package nidaqmx."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.instrument import Instrument, Knob, Quantity
from qlab_instruments.gated import Gates, wait_rows
from qlab_instruments.vendor import package, translated

INSTALL = "Install NI-DAQmx, then: pip install nidaqmx"
BUFFER = 10_000_000  # gates


class _DAQmx(Instrument):
    """What the parts of one DAQ device have in common: `address` is the device ("Dev1")."""

    vendor = "National Instruments"

    def __init__(self, address: str, library: Any = None) -> None:
        super().__init__()
        self.address = address
        self._library = library
        self._task: Any = None

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Give a simulated package in place of NI's."""
        from qlab_instruments.dialogues import nidaqmx

        yield {"address": "Dev1", "library": nidaqmx.Package(counts=[7, 5])}

    def open(self) -> None:
        """Find the device; raises InstrumentError where it is not there."""
        if self._library is None:
            self._library = package("nidaqmx", INSTALL)
            package("nidaqmx.constants", INSTALL)
            package("nidaqmx.system", INSTALL)
        self.identity()

    def close(self) -> None:
        """Let go of it."""
        task, self._task = self._task, None
        if task is not None:
            with contextlib.suppress(Exception):
                task.close()

    def abort(self) -> None:
        """Close the task under a call that hangs."""
        self.close()

    def identity(self) -> dict[str, str]:
        """Return what the driver says of the device."""
        with translated(self):
            device = self._library.system.Device(self.address)
            return {"vendor": self.vendor, "model": device.product_type, "serial": f"{device.serial_num:X}"}


class GatedCounter(_DAQmx):
    """Counts photons while its gate is high: the width of each gate, measured in photons as the timebase.

    `counter` ("ctr0"), `gate` and `photons` (terminals, "PFI9" and "PFI8") are those of the device.
    """

    title = "DAQmx counter"

    def __init__(
        self,
        address: str,
        *,
        counter: str = "ctr0",
        gate: str = "PFI9",
        photons: str = "PFI8",
        library: Any = None,
    ) -> None:
        super().__init__(address, library)
        self.counter, self.gate, self.photons = counter, gate, photons
        self._gates, self._shots, self._single = Gates(), 1, False

    def expect(self, shots: int) -> None:
        """Say how often each window comes at each point."""
        self._shots = shots

    def keep_shots(self, on: bool) -> None:
        """Hand over the counts of each shot, or no longer."""
        self._single = on

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready."""
        self.close()
        self._gates = Gates(keys, points, self._shots)
        with translated(self):
            ni = self._library
            self._task = ni.Task()
            channel = self._task.ci_channels.add_ci_pulse_width_chan(
                f"{self.address}/{self.counter}", min_val=2, max_val=1e9, units=ni.constants.TimeUnits.TICKS
            )
            channel.ci_pulse_width_term = f"/{self.address}/{self.gate}"
            channel.ci_ctr_timebase_src = f"/{self.address}/{self.photons}"
            # A gate without a photon would not end: no edge of the timebase comes.
            channel.ci_dup_count_prevention = True
            self._task.timing.cfg_implicit_timing(
                sample_mode=ni.constants.AcquisitionType.FINITE, samps_per_chan=max(2, self._gates.total)
            )
            self._task.start()

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read."""
        return wait_rows(self._take, self._gates, timeout, single=self._single)

    def make_safe(self) -> None:
        """Stop counting."""
        self.close()

    def _take(self) -> NDArray[Any]:
        if self._task is None:
            return np.empty(0)
        with translated(self):
            ready = min(int(self._task.in_stream.avail_samp_per_chan), self._gates.left)
            if ready == 0:
                return np.empty(0)
            return np.atleast_1d(
                np.asarray(self._task.read(number_of_samples_per_channel=ready, timeout=1.0))
            )


class AnalogInput(_DAQmx):
    """One analogue input as a voltmeter: the mean of `samples` at `rate` (1/s)."""

    title = "DAQmx analogue input"
    voltage = Knob("V", settable=False, doc="Mean of some samples")

    def __init__(
        self,
        address: str,
        *,
        channel: str = "ai0",
        samples: int = 100,
        rate: float = 10e3,
        library: Any = None,
    ) -> None:
        super().__init__(address, library)
        self.channel, self.samples, self.rate = channel, samples, rate

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Measure."""
        del knob
        ni = self._library
        with translated(self), ni.Task() as task:
            task.ai_channels.add_ai_voltage_chan(
                f"{self.address}/{self.channel}", min_val=-10.0, max_val=10.0
            )
            task.timing.cfg_samp_clk_timing(
                self.rate, sample_mode=ni.constants.AcquisitionType.FINITE, samps_per_chan=self.samples
            )
            return float(np.mean(task.read(number_of_samples_per_channel=self.samples, timeout=5.0)))
