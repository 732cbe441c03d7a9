"""An AWG that writes files: what would be played, to be looked at before a real one plays it."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from qlab.errors import InstrumentError
from qlab.instrument import Instrument
from qlab.pulses import Timeline
from qlab.pulses.wavefile import write_waves
from qlab.pulses.waveforms import Drive, Sampled, SampledDevice, sampled


class FileAWG(Instrument):
    """Writes each timeline that is started into an HDF5 file of `folder`: waveforms in V, markers, sequence table.

    The window shows such a file like any other that is opened or dropped there. `drives` and `markers` are those of an
    AWG; `granularity`, `shortest`, `memory` and `volts` those of the one that it stands for.
    """

    title = "AWG that writes files"
    vendor = "qlab"
    call_timeouts: ClassVar[dict[str, float]] = {"start": 60.0, "load": 120.0}

    def __init__(
        self,
        folder: str,
        *,
        drives: Mapping[str, Mapping[str, Any]],
        markers: Mapping[str, int],
        sample_rate: float = 1e9,
        granularity: int = 4,
        shortest: int = 256,
        memory: int = 16_000_000,
        volts: float = 1.0,
        outputs: int = 4,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.drives = {name: Drive.read(text) for name, text in drives.items()}
        self.markers = dict(markers)
        self.channels = dict(markers)
        self.device = SampledDevice(
            "The AWG",
            sample_rate,
            granularity,
            shortest,
            memory,
            rows=100_000,
            volts=volts,
            outputs=outputs,
            markers=8,
        )
        self._loaded: Sampled | None = None

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Write into a folder that goes away."""
        with tempfile.TemporaryDirectory() as folder:
            yield {
                "folder": folder,
                "drives": {"mw": {"i": 1, "q": 2}},
                "markers": {"laser": 1, "counter": 2},
            }

    def open(self) -> None:
        """Make the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InstrumentError(
                f"{self.folder} cannot be made ({error.strerror}).", "Choose another folder."
            ) from None

    def load(self, timeline: Timeline) -> None:
        """Compile a timeline; raises UsageError where the AWG that this stands for could not play it."""
        self._loaded = sampled(timeline, self.drives, self.markers, self.device)

    def start(self) -> None:
        """Write what was loaded."""
        if self._loaded is None:
            raise InstrumentError(f"{self.name} was started with nothing loaded.", "Load a timeline first.")
        number = len(list(self.folder.glob("played-*.h5"))) + 1
        write_waves(self._loaded, self.folder / f"played-{number:04d}.h5", self.drives, self.markers)

    def stop(self) -> None:
        """Stop: nothing plays."""

    def playing(self) -> bool:
        """Return False: once it is written there is nothing to wait for."""
        return False

    def fault(self) -> None:
        """Return None: what goes wrong is said when it is started."""

    def played(self) -> Timeline:
        """Return what was loaded, with its edges where the device has them."""
        if self._loaded is None:
            raise InstrumentError(f"{self.name} has nothing loaded.", "Load a timeline first.")
        return self._loaded.timeline

    def report(self) -> str:
        """Return in words what was loaded, and what was rounded."""
        return self._loaded.report() if self._loaded else "nothing loaded"
