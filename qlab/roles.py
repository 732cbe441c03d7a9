"""Roles: what an experiment may ask for. Small protocols that a device fulfils by having these members."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from qlab.errors import QlabError
from qlab.pulses import Timeline


@runtime_checkable
class PulsePlayer(Protocol):
    """Plays a timeline: every point of the sweep, `shots` times each, in the order given."""

    def load(self, timeline: Timeline) -> None:
        """Take a timeline, or raise UsageError where the device cannot play it."""
        ...

    def start(self) -> None:
        """Start playing what was loaded."""
        ...

    def stop(self) -> None:
        """Stop at once; every output off."""
        ...


@runtime_checkable
class RoundingPlayer(PulsePlayer, Protocol):
    """A player that can tell what its grid made of a timeline."""

    def report(self) -> str:
        """Return in words what was loaded, and what was rounded."""
        ...

    def played(self) -> Timeline:
        """Return what was loaded, with its edges where the device has them; the same points and events."""
        ...


@runtime_checkable
class SelfPacedPlayer(Protocol):
    """A player that plays in a thread of its own, and can say how far it is and what went wrong there."""

    def playing(self) -> bool:
        """Return whether something that was started is still to be played."""
        ...

    def fault(self) -> QlabError | None:
        """Return what went wrong since the start, None where nothing did."""
        ...


@runtime_checkable
class PhotonCounter(Protocol):
    """Counts photons in the acquisition windows of a played timeline, summed over shots."""

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for `points` sweep points with one total for each window key."""
        ...

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read, at most `timeout` s later; arrays (new points,).

        A device that knows when it took each point adds the column `time` (s since the start of the run).
        """
        ...


@runtime_checkable
class IQDigitizer(Protocol):
    """Probes a resonator and integrates both quadratures of what comes back, in the windows of a played timeline.

    `frequency` (Hz) and `amplitude` (V) are those of the probe tone. A window of mode `iq` gives samples, one of mode
    `bits` how many shots lay above `threshold` along the axis at `rotation` rad.
    """

    frequency: float
    amplitude: float
    rotation: float
    threshold: float

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for `points` sweep points with one result for each window key."""
        ...

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read: `iq` (points, shots, 2), `bits` (points,)."""
        ...


@runtime_checkable
class Camera(Protocol):
    """Counts the atoms in each internal state after every shot of a played timeline, from their fluorescence."""

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for `points` sweep points with one picture for each window key."""
        ...

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read: atoms (points, shots, 2) in the upper and lower state."""
        ...


@runtime_checkable
class LocalOscillator(Protocol):
    """The oscillator of a clock: `offset` (Hz) is what a frequency shifter adds to its free-running frequency."""

    offset: float

    def steer(self, offset: float) -> None:
        """Set the offset through the fast port of a servo: checked, not logged; what steers records it."""
        ...


@runtime_checkable
class FrequencyComparator(Protocol):
    """Compares an oscillator with a reference that is far better, such as a comb locked to another clock."""

    def compare(self) -> float:
        """Return the mean fractional frequency from nominal since it was last asked; NaN where nothing ran."""
        ...


@runtime_checkable
class ShotCounter(Protocol):
    """A photon counter that can also hand over the counts of each shot."""

    def keep_shots(self, on: bool) -> None:
        """Add to what `read` returns `<key>_shots` (new points, shots played) for each window key, or no longer."""
        ...


@runtime_checkable
class GatedCounter(Protocol):
    """A photon counter that sees each window of each shot by itself, and has to be told how many it is to sum."""

    def expect(self, shots: int) -> None:
        """Say, before `arm`, how often each window comes at each point."""
        ...


@runtime_checkable
class ListMode(Protocol):
    """A device that steps a knob through a list, once for each point of the timeline being played."""

    def load_list(self, knob: str, values: NDArray[Any]) -> None:
        """Take the values of `knob`, one for each point."""
        ...


@runtime_checkable
class MicrowaveSource(Protocol):
    """A microwave carrier: frequency in Hz, power in dBm."""

    frequency: float
    power: float
    on: bool


@runtime_checkable
class Laser(Protocol):
    """A laser whose power at the sample is set in W."""

    power: float
    on: bool


@runtime_checkable
class FieldCoil(Protocol):
    """A three-axis coil: the field it adds at the sample, in T."""

    bx: float
    by: float
    bz: float


@runtime_checkable
class SignalGenerator(Protocol):
    """A function generator on a test coil, started anew by the player at each shot: the AC field at the sample.

    `amplitude` in T as calibrated, `frequency` in Hz, `phase` in rad at the start of the shot.
    """

    amplitude: float
    frequency: float
    phase: float
    on: bool


@runtime_checkable
class VoltageSource(Protocol):
    """A source of voltage, in V."""

    voltage: float


@runtime_checkable
class Voltmeter(Protocol):
    """A meter of voltage, in V."""

    @property
    def voltage(self) -> float:
        """The voltage measured now."""
        ...


@runtime_checkable
class LockIn(Protocol):
    """A lock-in amplifier: in-phase and quadrature, in V."""

    @property
    def x(self) -> float:
        """The in-phase output."""
        ...

    @property
    def y(self) -> float:
        """The quadrature output."""
        ...


@runtime_checkable
class PhaseShifter(Protocol):
    """A phase between two arms, in rad."""

    phase: float


@runtime_checkable
class IonTrap(Protocol):
    """A trap that loads so many ions."""

    ions: float


@runtime_checkable
class BichromaticDrive(Protocol):
    """Two tones near both motional sidebands: `detuning` from them and `strength` of the coupling g/2π, in Hz."""

    detuning: float
    strength: float


@runtime_checkable
class RamanLasers(Protocol):
    """Two lasers that drive a two-photon transition with momentum transfer along `direction` (+1 or -1).

    `chirp` (Hz/s) is that of their difference frequency, along the direction of the momentum transfer.
    """

    chirp: float
    direction: float

    def steer(self, chirp: float, direction: float) -> None:
        """Set both through the fast port of a servo: checked, not logged; what steers records it."""
        ...


@runtime_checkable
class TunedLaser(Protocol):
    """A laser that is tuned around a line, in Hz from it."""

    detuning: float


@runtime_checkable
class Photodiode(Protocol):
    """Measures the mean voltage of a photodiode in the windows of a played timeline."""

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for `points` sweep points with one result for each window key."""
        ...

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read: volts (points,), the mean over all shots."""
        ...


@runtime_checkable
class DelayLine(Protocol):
    """A variable delay of one path, in s."""

    delay: float


@runtime_checkable
class Squeezer(Protocol):
    """A source of squeezed vacuum: by how many dB its quiet quadrature lies below vacuum."""

    squeezing: float
    on: bool


@runtime_checkable
class StateSource(Protocol):
    """A source of path-entangled states of so many photons, (|N,0> + |0,N>)/√2."""

    photons: float
    on: bool


@runtime_checkable
class PairSource(Protocol):
    """A pumped crystal that makes photon pairs; `pump` in W."""

    pump: float
    on: bool


@runtime_checkable
class NumberCounter(Protocol):
    """Counts the photons at both output ports in every shot of a played timeline."""

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for `points` sweep points with one result for each window key."""
        ...

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read: photons (points, shots, 2) at ports a and b."""
        ...


@runtime_checkable
class CoincidenceCounter(Protocol):
    """Two click detectors: how often each clicked, and both together, in the windows of a played timeline."""

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for `points` sweep points with one result for each window key."""
        ...

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read: clicks (points, 3) at a, at b, at both, over all shots."""
        ...


@runtime_checkable
class HomodyneDetector(Protocol):
    """Measures one quadrature of the light in every shot; `angle` in rad: 0 amplitude, π/2 phase."""

    angle: float

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for `points` sweep points with one result for each window key."""
        ...

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the points finished since the last read: (points, shots), the vacuum having the variance 1/2."""
        ...


@runtime_checkable
class FrequencyReference(Protocol):
    """An oscillator whose frequency can be steered, in Hz."""

    frequency: float


UNITS: Mapping[type, Mapping[str, str]] = {
    MicrowaveSource: {"frequency": "Hz", "power": "dBm"},
    Laser: {"power": "W"},
    FieldCoil: {"bx": "T", "by": "T", "bz": "T"},
    SignalGenerator: {"amplitude": "T", "frequency": "Hz", "phase": "rad"},
    IQDigitizer: {"frequency": "Hz", "amplitude": "V", "rotation": "rad"},
    LocalOscillator: {"offset": "Hz"},
    VoltageSource: {"voltage": "V"},
    Voltmeter: {"voltage": "V"},
    LockIn: {"x": "V", "y": "V"},
    PhaseShifter: {"phase": "rad"},
    FrequencyReference: {"frequency": "Hz"},
}
MEASURING = frozenset({Voltmeter, LockIn})  # what they have is read, not set


def lacks(instrument: Any, protocol: type) -> list[str]:
    """Return the members of a role that an instrument (or its class) has not; no device is asked."""
    kind = instrument if isinstance(instrument, type) else type(instrument)
    asked = {*vars(protocol), *getattr(protocol, "__annotations__", {})}
    knobs = instrument.knobs()
    # Looked up on the class: reading a knob of the instrument would ask the device.
    return sorted(n for n in asked if not (n.startswith("_") or n in knobs or hasattr(kind, n)))


def misread(instrument: Any, protocol: type) -> list[str]:
    """Return in words which knobs of an instrument are in another unit than a role has, or cannot be set."""
    knobs, said = instrument.knobs(), []
    for name, unit in UNITS.get(protocol, {}).items():
        knob = knobs.get(name)
        if knob is None:
            continue
        if knob.unit != unit:
            said.append(f"{name} is in {knob.unit!r}, not in {unit!r}")
        elif not (knob.readable if protocol in MEASURING else knob.settable):
            said.append(f"{name} cannot be {'read' if protocol in MEASURING else 'set'}")
    return said
