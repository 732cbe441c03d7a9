"""A simulated library in place of spinapi: it keeps the program, and can run it to see the lines."""

from typing import Any

# The short-pulse control of an ESR-PRO board; with other values its lines are cut short or stay low.
ON = 7 << 21


class Library:
    """One ESR-PRO board of 500 MHz; `run()` returns what its lines do: (ps, lines) one after the other.

    As the real one, it leaves its lines alone when it is stopped or programmed: `lines` are those that it drives now.
    """

    def __init__(self) -> None:
        self.program: list[tuple[int, int, int, float]] = []
        self.running = self.programming = self.initialised = False
        self.clock = 0.0
        self.lines = 0
        self.error = b"no error"

    def pb_count_boards(self) -> int:
        """Return how many boards there are."""
        return 1

    def pb_select_board(self, board: int) -> int:
        """Choose a board."""
        return self._checked(board == 0, b"no such board")

    def pb_init(self) -> int:
        """Begin."""
        self.initialised = True
        return 0

    def pb_core_clock(self, megahertz: Any) -> None:
        """Say what the clock is."""
        self.clock = float(megahertz.value)

    def pb_get_firmware_id(self) -> int:
        """Return the firmware."""
        return 0x1107

    def pb_start_programming(self, device: int) -> int:
        """Begin a program."""
        self.program, self.programming = [], device == 0
        return self._checked(self.initialised, b"board not initialised")

    def pb_inst_pbonly(self, lines: int, what: int, data: int, nanoseconds: Any) -> int:
        """Take an instruction; return its address."""
        length = float(nanoseconds.value)
        good = self.programming and length >= 5e3 / self.clock and what in {0, 1, 2, 3, 6} and lines < 1 << 24
        if not good:
            return self._checked(good=False, error=b"instruction not possible")
        self.program.append((lines, what, data, length))
        return len(self.program) - 1

    def pb_stop_programming(self) -> int:
        """End a program."""
        self.programming = False
        return 0

    def pb_reset(self) -> int:
        """Go to the start."""
        return 0

    def pb_start(self) -> int:
        """Play."""
        good = bool(self.program) and not self.programming
        if good:
            self.running, self.lines = True, _driven(self.program[0][0])
        return self._checked(good, b"no program")

    def pb_stop(self) -> int:
        """Stop."""
        self.running = False
        return 0

    def pb_close(self) -> int:
        """End."""
        self.initialised = False
        return 0

    def pb_get_error(self) -> bytes:
        """Return the last error."""
        return self.error

    def _checked(self, good: bool, error: bytes) -> int:
        if not good:
            self.error = error
        return 0 if good else -91

    def run(self) -> list[tuple[int, int]]:
        """Return what the lines do when the program is played to its end."""
        seen: list[tuple[int, int]] = []
        loops: dict[int, int] = {}
        at = 0
        while True:
            lines, what, data, length = self.program[at]
            if what == 1:
                return seen
            self.lines = _driven(lines)
            seen.append((round(length * 1000), self.lines))
            if what == 2:
                loops.setdefault(at, data)
            if what == 3:
                loops[data] -= 1
                if loops[data]:
                    at = data
                    continue
                del loops[data]
            at += 1


def _driven(lines: int) -> int:
    return lines & ~ON if lines & ON == ON else 0
