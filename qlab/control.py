"""Pause, stop and halt: what people ask of a run from any thread, heard by the run at its checkpoints."""

import enum
import threading


class Ask(enum.Enum):
    """What is asked for."""

    NOTHING = enum.auto()
    PAUSE = enum.auto()
    STOP = enum.auto()
    HALT = enum.auto()


class Control:
    """Carries what is asked from any thread to the one that runs."""

    def __init__(self) -> None:
        self.asked = Ask.NOTHING
        self._changed = threading.Condition()

    def undisturbed(self) -> bool:
        """Return whether nothing is asked for."""
        return self.asked is Ask.NOTHING

    def ask(self, what: Ask) -> None:
        """Ask for something. A stop cannot be taken back; a halt outdoes everything."""
        with self._changed:
            if self.asked not in {Ask.STOP, Ask.HALT} or what is Ask.HALT:
                self.asked = what
            self._changed.notify_all()

    def wait_out_a_pause(self) -> None:
        """Return as soon as no pause is asked for."""
        with self._changed:
            while self.asked is Ask.PAUSE:
                self._changed.wait()
