"""Keysight 53230A: a counter, gated by the player."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from qlab.instrument import Knob
from qlab_instruments.gated import Gates, wait_rows
from qlab_instruments.messages import MessageInstrument, Messages

MOST = 1_000_000  # readings that its memory holds
AT_ONCE = 10_000  # readings that one message brings


class Counter53230A(MessageInstrument):
    """Counts the pulses on input 1 while its gate input is high; each gate is a reading, summed here over shots."""

    title = "Keysight 53230A"
    vendor = "Keysight"
    dialogue = "keysight.53230a"
    identifies = r"532[23]0A"
    prepare = (
        "*CLS",
        "CONF:TOT:TIM 0.1,(@1)",
        "SENS:TOT:GATE:SOUR EXT",
        "SENS:TOT:GATE:POL POS",
        "FORM:DATA ASC",
        "TRIG:SOUR IMM",
        "INP1:COUP DC",
        "INP1:LEV:AUTO OFF",
    )

    level = Knob(
        "V", get="INP1:LEV?", set="INP1:LEV {:.4f}", limits=(-5.125, 5.125), doc="Threshold of input 1"
    )
    impedance = Knob(
        "1", get="INP1:IMP?", set="INP1:IMP {:.0f}", choices=(50.0, 1e6), doc="Of input 1, in ohms"
    )

    def __init__(self, address: str, **options: Unpack[Messages]) -> None:
        super().__init__(address, **options)
        self._gates = Gates()
        self._shots = 1
        self._single = False

    def expect(self, shots: int) -> None:
        """Say how often each window comes at each point."""
        self._shots = shots

    def keep_shots(self, on: bool) -> None:
        """Hand over the counts of each shot, or no longer."""
        self._single = on

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready; raises UsageError for more gates than its memory holds."""
        self._gates = Gates(keys, points, self._shots)
        if self._gates.total > MOST:
            from qlab.errors import UsageError

            raise UsageError(
                f"{self._gates.total} gates are to be counted at once, and {self.name} holds {MOST}.",
                "Take more passes, fewer shots or fewer points.",
            )
        self.say("ABOR")
        self.say(f"SAMP:COUN {self._gates.total}")
        self.send("INIT")
        # The next question is answered once it is armed.
        self.query("SAMP:COUN?")

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read."""
        return wait_rows(self._take, self._gates, timeout, single=self._single)

    def make_safe(self) -> None:
        """Stop counting."""
        self.say("ABOR")

    def _take(self) -> NDArray[Any]:
        ready = int(float(self.query("DATA:POIN?")))
        if ready == 0:
            return np.empty(0)
        text = self.query(f"DATA:REM? {min(ready, AT_ONCE)}")
        return np.asarray([float(part) for part in text.split(",")])

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Serve a simulated counter that has counted 7 and 5 in the first two gates."""
        from qlab_instruments.dialogues.counter import GatedCounterDevice
        from qlab_instruments.dialogues.server import Served

        device = GatedCounterDevice()
        device.pending = [7, 5]
        with Served(device.device) as served:
            yield {"address": served.address}
