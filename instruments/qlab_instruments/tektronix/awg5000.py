"""Tektronix AWG5000 and AWG7000: waveforms and markers from a sequence table."""

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

import numpy as np

from qlab.errors import InstrumentError
from qlab.instrument import Knob, Switch
from qlab.pulses import Timeline
from qlab.pulses.waveforms import Drive, Sampled, SampledDevice, sampled
from qlab_instruments.messages import MessageInstrument, Messages

BITS = 14
IDLE = "qlab_idle"


class AWG5014(MessageInstrument):
    """Four outputs with two markers each; every point is a row of its sequence table, repeated for its shots.

    `drives` say how channels are made ({mw = {i = 1, q = 2, volts_per_hertz = 1e-7}}), `markers` which line switches
    what: marker 1 and 2 belong to output 1, 3 and 4 to output 2. `rate` is in 1/s, `volts` half of what an output is
    set to, peak to peak.
    """

    title = "Tektronix AWG5014"
    vendor = "Tektronix"
    dialogue = "tektronix.awg5014"
    rehearses: ClassVar[dict[str, Any]] = {
        "drives": {"mw": {"i": 1, "q": 2, "volts_per_hertz": 1e-7}},
        "markers": {"laser": 1, "counter": 2},
    }
    identifies = r"AWG[57]\d{3}"
    prepare = ("*CLS",)
    call_timeouts: ClassVar[dict[str, float]] = {"open": 30.0, "load": 120.0}

    rate = Knob("1/s", get="SOUR1:FREQ?", set="SOUR1:FREQ {:.9g}", limits=(10e6, 1.2e9), doc="Sample rate")
    amplitude = Knob(
        "V", get="SOUR1:VOLT?", set="SOUR1:VOLT {:.4f}", limits=(0.02, 4.5), doc="Of output 1, peak to peak"
    )
    on = Switch(get="OUTP1?", set="OUTP1 {:d}", safe=False, doc="Output 1")

    def __init__(
        self,
        address: str,
        *,
        drives: Mapping[str, Mapping[str, Any]],
        markers: Mapping[str, int],
        sample_rate: float = 1e9,
        volts: float = 1.0,
        **options: Unpack[Messages],
    ) -> None:
        super().__init__(address, **options)
        self.drives = {name: Drive.read(text) for name, text in drives.items()}
        self.markers = dict(markers)
        self.channels = {**self.markers, **dict.fromkeys(self.drives, 0)}
        self.device = SampledDevice(
            "The AWG", sample_rate, granularity=4, shortest=252, memory=16_200_000, rows=8000, volts=volts, outputs=4,
            markers=8,
        )  # fmt: skip
        self._loaded: Sampled | None = None

    def load(self, timeline: Timeline) -> None:
        """Compile a timeline, then send it; raises UsageError before anything is sent where it cannot be played."""
        made = sampled(timeline, self.drives, self.markers, self.device)
        self.say("AWGC:STOP")
        self.say("WLIS:WAV:DEL ALL")
        self.say(f"SOUR1:FREQ {self.device.rate:.9g}")
        outputs = self._outputs()
        for output in outputs:
            self.say(f"SOUR{output}:VOLT {2 * self.device.volts:.4f}")
        for number, wave in enumerate(made.waveforms):
            for output in outputs:
                self._send_wave(f"qlab_{number}_{output}", wave[output - 1], made.markers[number], output)
        idle = np.zeros(self.device.shortest)
        for output in outputs:
            self._send_wave(f"{IDLE}_{output}", idle, idle.astype(np.uint8), output)
        self._send_table(made, outputs)
        self._loaded = made

    def start(self) -> None:
        """Play what was loaded."""
        if self._loaded is None:
            raise InstrumentError(f"{self.name} was started with nothing loaded.", "Load a timeline first.")
        for output in self._outputs():
            self.say(f"OUTP{output} 1")
        self.say("AWGC:RUN")

    def stop(self) -> None:
        """Stop at once."""
        self.say("AWGC:STOP")

    def make_safe(self) -> None:
        """Stop, and switch every output off."""
        self.say("AWGC:STOP")
        for output in range(1, self.device.outputs + 1):
            self.say(f"OUTP{output} 0")

    def played(self) -> Timeline:
        """Return what was loaded, with its edges where the device has them."""
        if self._loaded is None:
            raise InstrumentError(f"{self.name} has nothing loaded.", "Load a timeline first.")
        return self._loaded.timeline

    def report(self) -> str:
        """Return in words what was loaded, and what was rounded."""
        return self._loaded.report() if self._loaded else "nothing loaded"

    def _outputs(self) -> list[int]:
        """Return the outputs in use, those included whose markers are."""
        driven = {n for d in self.drives.values() for n in (d.i, d.q) if n is not None}
        return sorted(driven | {(n + 1) // 2 for n in self.markers.values()})

    def _send_wave(self, name: str, volts: Any, bits: Any, output: int) -> None:
        full = (1 << (BITS - 1)) - 1
        values = np.rint(np.asarray(volts) / self.device.volts * full).astype(np.int64) + full
        first = 2 * (output - 1)
        marks = ((bits >> first) & 1).astype(np.int64) << BITS | ((bits >> (first + 1)) & 1).astype(
            np.int64
        ) << (BITS + 1)
        data = (values | marks).astype("<u2").tobytes()
        self.say(f'WLIS:WAV:NEW "{name}",{len(values)},INT')
        self.send_block(f'WLIS:WAV:DATA "{name}",0,{len(values)},', data)
        self.query("*OPC?")
        self._hear_complaints(f"waveform {name}")

    def _send_table(self, made: Sampled, outputs: list[int]) -> None:
        rows = len(made.table)
        self.say(f"SEQ:LENG {rows + 1}")
        for row, (wave, shots) in enumerate(made.table, start=1):
            for output in outputs:
                self.say(f'SEQ:ELEM{row}:WAV{output} "qlab_{wave}_{output}"')
            self.say(f"SEQ:ELEM{row}:LOOP:COUN {shots}")
        for output in outputs:
            self.say(f'SEQ:ELEM{rows + 1}:WAV{output} "{IDLE}_{output}"')
        self.say(f"SEQ:ELEM{rows + 1}:LOOP:INF 1")
        self.say("AWGC:RMOD SEQ")
