"""The keeper: looks after a run from outside its thread; cuts off calls that hang, gives up on what stays stuck."""

import threading
import time
from dataclasses import dataclass

from qlab.bench import Bench
from qlab.calls import Wire, bar
from qlab.errors import LostError
from qlab.instrument import Instrument

GRACE = 2.0  # s that a call has to end after its connection was closed under it
HALTED = 3.0  # s that whatever is no call to a device has to end after a halt


@dataclass
class _Cut:
    """A call that was cut off, and when."""

    wire: Wire
    when: float


class Keeper:
    """Watches the calls of one run's thread to the devices of its bench. Never speaks to a device itself.

    A call past its deadline is cut off: the connection is closed under it, which ends it with an error in any
    driver that waits for the device. Where it does not end even then, the thread is barred from every device,
    and the instrument gets a fresh lock for whoever makes it safe.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._cut: dict[str, _Cut] = {}
        self._halted: float | None = None

    def look(self, thread: threading.Thread) -> LostError | None:
        """Cut off what is late; return why a thread has to be given up, or None."""
        now = time.monotonic()
        for name, instrument in self.bench.instruments.items():
            call, cut = instrument.wire.call, self._cut.get(name)
            if call is None or now < call.deadline:
                self._cut.pop(name, None)
            elif cut is None or cut.wire is not instrument.wire:
                self._cut[name] = _Cut(instrument.wire, now)
                instrument.wire.cut = True
                instrument.state = "lost"
                # Closing may hang as the call does: nobody waits for it.
                threading.Thread(target=instrument.abort, daemon=True, name="qlab abort").start()
            elif now > cut.when + GRACE:
                return self._give_up(instrument, call.what, call.thread)
        return self._after_halt(thread, now)

    def halted(self) -> None:
        """Give what runs its last seconds."""
        if self._halted is None:
            self._halted = time.monotonic()

    def _after_halt(self, thread: threading.Thread, now: float) -> LostError | None:
        calls = [i.wire.call for i in self.bench.instruments.values()]
        if self._halted is None or now < self._halted + HALTED or any(calls):
            return None
        bar(thread.ident or 0)
        return LostError("The experiment did not end after the halt.", "Its thread was given up.")

    def _give_up(self, instrument: Instrument, what: str, thread: int) -> LostError:
        bar(thread)
        instrument.wire = Wire()
        instrument.state = "lost"
        instrument.message = f"hangs in {what}"
        return LostError(
            f"{instrument.name} hangs in {what} and did not let go when its connection was closed.",
            f"Switch {instrument.name} off and on, check its cable, then run again.",
            instrument,
        )
