"""Swabian Time Tagger: a gated photon counter; needs the maker's package Swabian-TimeTagger."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.instrument import Instrument, Knob, Quantity
from qlab_instruments.gated import Gates, wait_rows
from qlab_instruments.vendor import package, translated

INSTALL = "pip install Swabian-TimeTagger"


class TimeTagger(Instrument):
    """Counts clicks on `photons` between the edges of the gate on `gate`; channels are numbered as at the device."""

    title = "Time Tagger"
    vendor = "Swabian Instruments"

    photon_level = Knob("V", limits=(-2.5, 2.5), doc="Threshold of the clicks")
    gate_level = Knob("V", limits=(-2.5, 2.5), doc="Threshold of the gate")
    rate = Knob("1/s", settable=False, doc="Click rate")

    def __init__(self, address: str = "", *, photons: int = 1, gate: int = 2, library: Any = None) -> None:
        super().__init__()
        self.address, self.photons, self.gate = address, photons, gate
        self._library, self._tagger, self._counting = library, None, None
        self._gates, self._shots, self._single, self._seen = Gates(), 1, False, 0

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Give a simulated package in place of the maker's."""
        from qlab_instruments.dialogues import timetagger

        yield {"address": "2138000XYZ", "library": timetagger.Package(counts=[7, 5])}

    def open(self) -> None:
        """Connect to the device with the serial number `address`, or to the first there is."""
        if self._library is None:
            self._library = package("Swabian.TimeTagger", INSTALL)
        with translated(self):
            self._tagger = self._library.createTimeTagger(self.address)

    def close(self) -> None:
        """Let go of it."""
        tagger, self._tagger, self._counting = self._tagger, None, None
        if tagger is not None:
            with contextlib.suppress(Exception):
                self._library.freeTimeTagger(tagger)

    def identity(self) -> dict[str, str]:
        """Return what it is."""
        with translated(self):
            tagger: Any = self._tagger
            return {"vendor": self.vendor, "model": str(tagger.getModel()), "serial": str(tagger.getSerial())}

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Read a threshold, or measure the click rate."""
        with translated(self):
            tagger: Any = self._tagger
            if knob.name == "rate":
                with self._library.Countrate(tagger, [self.photons]) as measured:
                    measured.startFor(int(100e9))
                    measured.waitUntilFinished()
                    return float(measured.getData()[0])
            return float(tagger.getTriggerLevel(self._channel(knob)))

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set a threshold."""
        with translated(self):
            tagger: Any = self._tagger
            tagger.setTriggerLevel(self._channel(knob), float(value))
            tagger.sync()

    def _channel(self, knob: Quantity[Any]) -> int:
        return self.photons if knob.name == "photon_level" else self.gate

    def expect(self, shots: int) -> None:
        """Say how often each window comes at each point."""
        self._shots = shots

    def keep_shots(self, on: bool) -> None:
        """Hand over the counts of each shot, or no longer."""
        self._single = on

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready."""
        self._gates, self._seen = Gates(keys, points, self._shots), 0
        with translated(self):
            # A negative number is the falling edge of a channel.
            self._counting = self._library.CountBetweenMarkers(
                self._tagger, self.photons, self.gate, -self.gate, self._gates.total
            )
            tagger: Any = self._tagger
            tagger.sync()

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read."""
        return wait_rows(self._take, self._gates, timeout, single=self._single)

    def make_safe(self) -> None:
        """Stop counting."""
        self._counting = None

    def _take(self) -> NDArray[Any]:
        counting: Any = self._counting
        if counting is None:
            return np.empty(0)
        with translated(self):
            if counting.ready():
                done = self._gates.total
            else:
                # The last gate that has begun may still be open.
                done = max(0, int(np.count_nonzero(np.asarray(counting.getIndex())[1:])))
            counts = np.asarray(counting.getData())[self._seen : done]
        self._seen = max(self._seen, done)
        return counts
