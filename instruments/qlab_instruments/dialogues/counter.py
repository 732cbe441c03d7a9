"""A simulated 53230A: its dialogue, and readings that a simulated gate puts into its memory."""

import re

from qlab_instruments.dialogues.device import SimulatedDevice


class GatedCounterDevice:
    """A counter whose memory is filled by `gate(counts)` while it is armed; `pending` comes as soon as it is."""

    def __init__(self) -> None:
        self.device = SimulatedDevice.read("keysight.53230a")
        self.device.say_first = self._say
        self.pending: list[int] = []
        self.readings: list[int] = []
        self.left = 0

    def gate(self, counts: list[int]) -> None:
        """Count in one gate after the other, as far as it is armed."""
        taken = counts[: self.left]
        self.left -= len(taken)
        self.readings += taken

    def _say(self, part: str) -> str | None:
        if re.fullmatch(r"INIT(iate)?(:IMM(ediate)?)?", part, re.IGNORECASE):
            self.left = int(self.device.states["samples"].value)
            pending, self.pending = self.pending, []
            self.gate(pending)
            return ""
        if re.fullmatch(r"ABOR(t)?", part, re.IGNORECASE):
            self.left, self.readings = 0, []
            return ""
        if re.fullmatch(r"DATA:POIN(ts)?\?", part, re.IGNORECASE):
            return f"{len(self.readings):+d}"
        if found := re.fullmatch(r"DATA:REM(?:ove)?\? (\d+)(,WAIT)?", part, re.IGNORECASE):
            count = int(found[1])
            given, self.readings = self.readings[:count], self.readings[count:]
            return ",".join(f"{value:+.15E}" for value in given)
        return None
