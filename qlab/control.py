"""Pause, stop, skip and halt: what people and watchdogs ask of a run from any thread, heard at its checkpoints."""

import enum
import threading


class Ask(enum.Enum):
    """What is asked for."""

    NOTHING = enum.auto()
    PAUSE = enum.auto()
    STOP = enum.auto()
    SKIP = enum.auto()
    HALT = enum.auto()


class Control:
    """Carries what is asked from any thread to the one that runs.

    A run is held as long as anybody holds it (a person, a watchdog); it ends by the first stop or skip, which
    cannot be taken back, and a halt outdoes both. `attention` says that the run should look at what is new.
    """

    def __init__(self) -> None:
        self.ending = Ask.NOTHING
        self.reason = ""
        self.attention = False
        self._holds: dict[str, str] = {}
        self._changed = threading.Condition()

    @property
    def asked(self) -> Ask:
        """What is asked for now."""
        if self.ending is not Ask.NOTHING:
            return self.ending
        return Ask.PAUSE if self._holds else Ask.NOTHING

    @property
    def holds(self) -> dict[str, str]:
        """Who holds the run, and why."""
        with self._changed:
            return dict(self._holds)

    def undisturbed(self) -> bool:
        """Return whether nothing is asked for."""
        return self.ending is Ask.NOTHING and not self._holds

    def end(self, how: Ask, reason: str) -> None:
        """Ask for the end; what came first stays, except that a halt outdoes everything."""
        with self._changed:
            if self.ending is Ask.NOTHING or (how is Ask.HALT and self.ending is not Ask.HALT):
                self.ending, self.reason = how, reason
            self._poke()

    def hold(self, who: str, why: str) -> None:
        """Hold the run at its next checkpoint."""
        with self._changed:
            self._holds[who] = why
            self._poke()

    def release(self, who: str) -> None:
        """Take back a hold."""
        with self._changed:
            self._holds.pop(who, None)
            self._poke()

    def poke(self) -> None:
        """Say that there is something to look at."""
        with self._changed:
            self._poke()

    def _poke(self) -> None:
        self.attention = True
        self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until something is asked for, at most so long."""
        with self._changed:
            if not self.attention:
                self._changed.wait(seconds)
            self.attention = False

    def sleep(self, seconds: float) -> None:
        """Wait so long, or until the end is asked for; nothing else is taken notice of."""
        with self._changed:
            self._changed.wait_for(lambda: self.ending is not Ask.NOTHING, seconds)
