"""Swabian Pulse Streamer 8/2: eight lines with a resolution of 1 ns."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from qlab.errors import InstrumentError, QlabError
from qlab.instrument import Instrument
from qlab.pulses import Timeline
from qlab.pulses.edges import DigitalDevice, Played, digital
from qlab_instruments.swabian.stream import COMMANDS, SEQUENCES, Streamer

DEVICE = DigitalDevice(
    "The Pulse Streamer",
    tick=1000,
    shortest=1000,
    longest=(2**32 - 1) * 1000,
    steps=2_000_000,
    lines=8,
    granularity=8,
)
LOOK = 1e-3  # s between two questions whether it has finished


class PulseStreamer(Instrument):
    """Plays points one after the other, each with its shots; `channels` maps channels to lines, `mw@90` phases.

    A shot is made as long as a multiple of 8 ns. `rabi` (Hz) is what the source gives while its line is on; a program
    that asks for another is refused.
    """

    title = "Pulse Streamer 8/2"
    vendor = "Swabian Instruments"
    call_timeouts: ClassVar[dict[str, float]] = {"open": 30.0, "load": 60.0}

    def __init__(
        self,
        address: str,
        *,
        channels: Mapping[str, int],
        rabi: float | None = None,
        timeout: float = 3.0,
        ports: tuple[int, int] = (COMMANDS, SEQUENCES),
    ) -> None:
        super().__init__()
        self.address, self.channels, self.rabi = address, dict(channels), rabi
        self.timeout, self._ports = timeout, (ports[0], ports[1])
        self._streamer: Streamer | None = None
        self._played: Played | None = None
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        # Not the lock of the calls: a stop that holds that one waits here for the thread that plays.
        self._talking = threading.Lock()
        self._fault: QlabError | None = None

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Serve a simulated Pulse Streamer."""
        from qlab_instruments.dialogues.pulse_streamer import SimulatedStreamer

        with SimulatedStreamer() as device:
            yield {
                "address": "127.0.0.1",
                "ports": device.ports,
                "channels": {"laser": 0, "mw": 1, "counter": 2},
            }

    def open(self) -> None:
        """Connect; raises InstrumentError where nobody answers or its firmware is too old."""
        self.close()
        try:
            self._streamer = Streamer(self.address, self.timeout, self._ports)
            who = self.identity()
        except OSError as error:
            self.close()
            raise InstrumentError(
                f"{self.name} does not answer at {self.address} ({error}).",
                "Check its address, cable and power.",
            ) from error
        if who["firmware"].partition(".")[0] in {"", "0", "1"}:
            self.close()
            raise InstrumentError(
                f"{self.name} has the firmware {who['firmware']}.", "Update it to 2 or newer."
            )

    def close(self) -> None:
        """Let go of it."""
        self._end()
        streamer, self._streamer = self._streamer, None
        if streamer is not None:
            streamer.close()

    def abort(self) -> None:
        """Close the connections under a call that hangs."""
        streamer = self._streamer
        if streamer is not None:
            streamer.close()

    def identity(self) -> dict[str, str]:
        """Return what it is."""
        serial, firmware = self._ask("getSerial"), self._ask("getFirmwareVersion")
        return {"vendor": self.vendor, "model": self.title, "serial": str(serial), "firmware": str(firmware)}

    def load(self, timeline: Timeline) -> None:
        """Compile a timeline; raises UsageError where it cannot be played."""
        self._played = digital(timeline, self.channels, DEVICE, self.rabi)

    def start(self) -> None:
        """Play what was loaded, in a thread of its own."""
        if self._played is None:
            raise InstrumentError(f"{self.name} was started with nothing loaded.", "Load a timeline first.")
        self._end()
        self._ending.clear()
        self._fault = None
        self._thread = threading.Thread(
            target=self._play, args=(self._played,), daemon=True, name="qlab streamer"
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop at once; every line low."""
        self._end()
        if self._streamer is not None:
            self._ask("constant", [0, 0, 0, 0])

    def make_safe(self) -> None:
        """Stop."""
        self.stop()

    def playing(self) -> bool:
        """Return whether it still plays."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def fault(self) -> QlabError | None:
        """Return what went wrong since the start, None where nothing did."""
        return self._fault

    def played(self) -> Timeline:
        """Return what was loaded, with its edges where the device has them."""
        if self._played is None:
            raise InstrumentError(f"{self.name} has nothing loaded.", "Load a timeline first.")
        return self._played.timeline

    def report(self) -> str:
        """Return in words what was loaded, and what was rounded."""
        return self._played.report() if self._played else "nothing loaded"

    def _end(self) -> None:
        self._ending.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(self.timeout)

    def _play(self, played: Played) -> None:
        try:
            for pattern in played.patterns:
                if self._ending.is_set():
                    return
                self._stream(np.asarray(pattern.durations // 1000), pattern.states, played.shots)
                while not self._ask("hasFinished"):
                    if self._ending.wait(LOOK):
                        return
        except QlabError as error:
            self._fault = error
        except (OSError, ValueError) as error:
            self._fault = InstrumentError(
                f"{self.name} is out of reach ({error}).", "Check its cable and power."
            )

    def _stream(self, nanoseconds: Any, lines: Any, runs: int) -> None:
        with self._talking:
            self._connected().stream(nanoseconds, lines, runs)

    def _ask(self, method: str, *parameters: Any) -> Any:
        with self._talking:
            return self._connected().ask(method, *parameters)

    def _connected(self) -> Streamer:
        if self._streamer is None:
            raise InstrumentError(f"{self.name} is not connected.", "Open the bench first.")
        return self._streamer
