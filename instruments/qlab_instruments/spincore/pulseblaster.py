"""SpinCore PulseBlaster: digital lines, programmed through the maker's library spinapi."""

import contextlib
import ctypes
import ctypes.util
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from qlab.errors import InstrumentError, UsageError
from qlab.instrument import Instrument
from qlab.pulses import Timeline
from qlab.pulses.edges import DigitalDevice, Pattern, Played, digital

CONTINUE, STOP, LOOP, END_LOOP, BRANCH = 0, 1, 2, 3, 6
MOST_LOOPS = 1 << 20
ON = 0xE00000  # three bits above the 21 lines of an ESR-PRO board: without them its lines stay low


class PulseBlaster(Instrument):
    """Plays a whole sweep from its memory: each point is a loop over its shots.

    `clock` in Hz is that of the board; two edges are at least five clock cycles apart. `channels` maps channels to
    lines, `mw@90` phases; `board` is which of several. `lines` is 21 for an ESR-PRO board, whose upper three bits
    are its short-pulse control, and 24 for the others; where it is not given, a clock above 250 MHz means 21.

    A stopped board leaves its lines as they were at that moment: to put them low, a program of zeros is played.
    """

    title = "PulseBlaster"
    vendor = "SpinCore"
    call_timeouts: ClassVar[dict[str, float]] = {"open": 30.0, "load": 60.0}

    def __init__(
        self,
        *,
        channels: Mapping[str, int],
        clock: float = 500e6,
        memory: int = 4096,
        board: int = 0,
        lines: int | None = None,
        rabi: float | None = None,
        library: Any = None,
    ) -> None:
        super().__init__()
        self.address = f"PulseBlaster board {board}"
        self.channels, self.clock, self.board, self.rabi = dict(channels), clock, board, rabi
        tick, lines = round(1e12 / clock), lines or (21 if clock > 250e6 else 24)
        self.device = DigitalDevice("The PulseBlaster", tick, 5 * tick, (2**32 - 1) * tick, memory, lines)
        self._control = ON if lines == 21 else 0
        self._library: Any = library
        self._played: Played | None = None
        self._low = False  # the board holds the program of zeros

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Give a simulated library in place of the maker's."""
        from qlab_instruments.dialogues.spinapi import Library

        yield {"channels": {"laser": 0, "mw": 1, "counter": 2}, "library": Library()}

    def open(self) -> None:
        """Find the library and the board."""
        if self._library is None:
            found = ctypes.util.find_library("spinapi64") or ctypes.util.find_library("spinapi")
            if found is None:
                raise UsageError("The library spinapi is not installed.", "Install SpinCore's SpinAPI.")
            self._library = _typed(ctypes.CDLL(found))
        if not 0 <= self.board < int(self._library.pb_count_boards()):
            raise InstrumentError(
                f"There is no PulseBlaster board {self.board}.", "Check the board and its driver."
            )
        self._do("pb_select_board", self.board)
        self._do("pb_init")
        self._library.pb_core_clock(ctypes.c_double(self.clock / 1e6))

    def close(self) -> None:
        """Let go of the board."""
        if self._library is not None:
            self._library.pb_close()

    def identity(self) -> dict[str, str]:
        """Return what it is."""
        firmware = f"{int(self._library.pb_get_firmware_id()):#x}"
        return {
            "vendor": self.vendor,
            "model": self.title,
            "serial": f"board {self.board}",
            "firmware": firmware,
        }

    def load(self, timeline: Timeline) -> None:
        """Compile a timeline and send it; raises UsageError where it cannot be played."""
        played = digital(timeline, self.channels, self.device, self.rabi)
        rows = sum(max(2, len(p.durations)) for p in played.patterns) + 2
        if rows > self.device.steps or played.shots > MOST_LOOPS:
            raise UsageError(
                f"The sweep takes {rows} instructions and {played.shots} loops; {self.name} has {self.device.steps} and"
                f" {MOST_LOOPS}.",
                "Sweep fewer points, or take more passes.",
            )
        self._send(played)
        self._played = played

    def start(self) -> None:
        """Play what was loaded."""
        if self._played is None:
            raise InstrumentError(f"{self.name} was started with nothing loaded.", "Load a timeline first.")
        if self._low:
            self._send(self._played)
        self._do("pb_reset")
        self._do("pb_start")

    def stop(self) -> None:
        """Stop at once; every line low."""
        if self._library is None:
            return
        self._do("pb_stop")
        self._low = True
        self._do("pb_start_programming", 0)
        self._instruct(0, CONTINUE, 0, self.device.shortest)
        self._instruct(0, BRANCH, 0, self.device.shortest)
        self._do("pb_stop_programming")
        self._do("pb_reset")
        self._do("pb_start")
        self._do("pb_stop")

    def make_safe(self) -> None:
        """Stop."""
        self.stop()

    def played(self) -> Timeline:
        """Return what was loaded, with its edges where the device has them."""
        if self._played is None:
            raise InstrumentError(f"{self.name} has nothing loaded.", "Load a timeline first.")
        return self._played.timeline

    def report(self) -> str:
        """Return in words what was loaded, and what was rounded."""
        return self._played.report() if self._played else "nothing loaded"

    def _send(self, played: Played) -> None:
        self._do("pb_start_programming", 0)
        for pattern in played.patterns:
            self._point(pattern, played.shots)
        # Some firmware takes no lines from a STOP: they go low before it.
        self._instruct(0, CONTINUE, 0, self.device.shortest)
        self._instruct(0, STOP, 0, self.device.shortest)
        self._do("pb_stop_programming")
        self._low = False

    def _point(self, pattern: Pattern, shots: int) -> None:
        steps = [(int(d), int(s)) for d, s in zip(pattern.durations, pattern.states, strict=True)]
        if len(steps) == 1:
            # A loop has a first and a last instruction.
            length, state = steps[0]
            half = length // 2 // self.device.tick * self.device.tick
            if half < self.device.shortest:
                raise UsageError(
                    f"A shot of {length / 1000:g} ns is too short for {self.name}.", "Lengthen it."
                )
            steps = [(half, state), (length - half, state)]
        first = self._instruct(steps[0][1], LOOP, shots, steps[0][0])
        for length, state in steps[1:-1]:
            self._instruct(state, CONTINUE, 0, length)
        self._instruct(steps[-1][1], END_LOOP, first, steps[-1][0])

    def _instruct(self, lines: int, what: int, data: int, picoseconds: int) -> int:
        return self._do(
            "pb_inst_pbonly", lines | self._control, what, data, ctypes.c_double(picoseconds / 1000)
        )

    def _do(self, name: str, *arguments: Any) -> int:
        result = int(getattr(self._library, name)(*arguments))
        if result < 0:
            said = self._library.pb_get_error()
            text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
            raise InstrumentError(f"{self.name}: {name} failed ({text}).", "Check the board and its driver.")
        return result


def _typed(library: Any) -> Any:
    library.pb_get_error.restype = ctypes.c_char_p
    library.pb_core_clock.restype = None
    return library
