"""A simulated package in place of nidaqmx: the calls that the drivers make, and what a device would give."""

from types import SimpleNamespace, TracebackType
from typing import Any, Self


class Package:
    """`counts` are what the next gates count; `volts` what an input measures. `tasks` are all that were made."""

    def __init__(self, counts: list[int] | None = None, volts: float = 0.25) -> None:
        self.counts, self.volts = list(counts or []), volts
        self.tasks: list[Task] = []
        self.constants = SimpleNamespace(
            TimeUnits=SimpleNamespace(TICKS="ticks"), AcquisitionType=SimpleNamespace(FINITE="finite")
        )
        self.system = SimpleNamespace(Device=self._device)

    def Task(self) -> "Task":
        """Return a task."""
        self.tasks.append(Task(self))
        return self.tasks[-1]

    def _device(self, name: str) -> Any:
        if name != "Dev1":
            raise RuntimeError(
                f"Device identifier is invalid. Device Specified: {name}. Status Code: -200220"
            )
        return SimpleNamespace(product_type="PCIe-6321", serial_num=0x1A2B3C4D)


class Task:
    """A task: its channels, its timing and its data."""

    def __init__(self, owner: Package) -> None:
        self._owner = owner
        self.channel = SimpleNamespace()
        self.closed = self.started = False
        self.wanted = 0
        self.ci_channels = SimpleNamespace(add_ci_pulse_width_chan=self._add)
        self.ai_channels = SimpleNamespace(add_ai_voltage_chan=self._add)
        self.timing = SimpleNamespace(cfg_implicit_timing=self._time, cfg_samp_clk_timing=self._clock)

    def _add(self, name: str, **options: Any) -> Any:
        if not name.startswith("Dev1/"):
            raise RuntimeError(f"Physical channel {name} does not exist. Status Code: -200170")
        self.channel.name, self.channel.options = name, options
        return self.channel

    def _time(self, *, sample_mode: str, samps_per_chan: int) -> None:
        if sample_mode != "finite" or samps_per_chan < 2:
            raise RuntimeError("Requested value is not supported. Status Code: -200077")
        self.wanted = samps_per_chan

    def _clock(self, rate: float, *, sample_mode: str, samps_per_chan: int) -> None:
        del rate
        self._time(sample_mode=sample_mode, samps_per_chan=samps_per_chan)

    def start(self) -> None:
        """Start."""
        self.started = True

    @property
    def in_stream(self) -> Any:
        """How much can be read."""
        return SimpleNamespace(
            avail_samp_per_chan=min(len(self._owner.counts), self.wanted) if self.started else 0
        )

    def read(self, *, number_of_samples_per_channel: int, timeout: float) -> list[float]:
        """Read."""
        del timeout
        if self.closed:
            raise RuntimeError(
                "Specified operation cannot be performed: task is closed. Status Code: -200088"
            )
        if not self.started:
            return [self._owner.volts] * number_of_samples_per_channel
        given = self._owner.counts[:number_of_samples_per_channel]
        del self._owner.counts[:number_of_samples_per_channel]
        return [float(value) for value in given]

    def close(self) -> None:
        """Close."""
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
