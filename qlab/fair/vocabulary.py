"""Controlled vocabularies: pillar area, platform, protocol, and measurand with its unit and QUDT identifiers."""

from collections.abc import Mapping
from dataclasses import dataclass

from qlab.store.storedunits import stored_unit

QUDT_KIND = "http://qudt.org/vocab/quantitykind/"
SENSING, COMPUTING = "quantum sensing and metrology", "quantum computing and simulation"
COMMUNICATION = "quantum communication"
# The three domains are those of Regulation (EU) 2026/150, Art. 4(1)(j); the five areas are their parts.
AREAS = {
    "computing": COMPUTING,
    "simulation": COMPUTING,
    "communication": COMMUNICATION,
    "sensing": SENSING,
    "metrology": SENSING,
}
# No law names platforms: this list is qlab's own. `other: ...` is open to everybody.
PLATFORMS = (
    "superconducting", "trapped ions", "photonic", "neutral atoms", "solid-state spins", "atomic vapour",
    "cold-atom interferometer", "optomechanical",
)  # fmt: skip
# The protocols of the catalogue, each with the area it belongs to where an experiment says nothing else.
PROTOCOLS = {
    "CW ODMR": "sensing", "pulsed ODMR": "sensing", "Rabi": "sensing", "Ramsey": "sensing", "Hahn echo": "sensing",
    "CPMG": "sensing", "XY8": "sensing", "dynamical decoupling": "sensing", "AC magnetometry": "sensing",
    "noise spectroscopy": "sensing", "nuclear-spin detection": "sensing", "T1 relaxometry": "sensing",
    "correlation spectroscopy": "sensing", "quantum heterodyne": "sensing", "vector magnetometry": "sensing",
    "nanoscale NMR": "sensing", "thermometry": "sensing", "electrometry": "sensing",
    "readout calibration": "sensing", "charge-state readout": "sensing", "DEER": "sensing", "spin locking": "sensing",
    "Hartmann-Hahn": "sensing", "Rabi spectroscopy": "metrology", "Ramsey spectroscopy": "metrology",
    "clock servo": "metrology", "GHZ Ramsey": "metrology", "spin squeezing": "metrology",
    "motional sensing": "sensing", "sideband spectroscopy": "sensing", "differential spectroscopy": "metrology",
    "quantum logic spectroscopy": "metrology", "atom interferometry": "sensing", "gravimetry": "sensing",
    "gradiometry": "sensing", "vapour-cell magnetometry": "sensing", "Hanle": "sensing", "Bell-Bloom": "sensing",
    "free induction decay": "sensing", "Rydberg EIT electrometry": "sensing", "Rydberg-array sensing": "simulation",
    "Mach-Zehnder interferometry": "sensing", "NOON interferometry": "sensing",
    "Hong-Ou-Mandel interferometry": "sensing", "squeezed-light homodyne": "communication", "SPADE": "sensing",
    "direct imaging": "sensing", "quantum illumination": "communication", "T1": "computing", "T2": "computing",
    "qubit spectroscopy": "computing", "resonator spectroscopy": "computing", "flux magnetometry": "sensing",
    "dispersive readout": "computing", "AC Stark calibration": "computing", "randomised benchmarking": "computing",
    "state tomography": "computing", "composite pulses": "computing", "optimal control": "computing",
    "Hamiltonian learning": "simulation", "adaptive estimation": "metrology", "Bayesian estimation": "metrology",
    "parameter estimation": "metrology", "optomechanical sensing": "sensing", "parameter scan": "metrology",
}  # fmt: skip


@dataclass(frozen=True)
class Measurand:
    """What a measurement is of: its unit as files spell it, and its QUDT quantity kind."""

    unit: str
    kind: str

    @property
    def uri(self) -> str:
        """The quantity kind's identifier."""
        return QUDT_KIND + self.kind


MEASURANDS = {
    "magnetic flux density": Measurand("T", "MagneticFluxDensity"),
    "magnetic flux": Measurand("Wb", "MagneticFlux"),
    "magnetic noise power density": Measurand("T2/Hz", "Unknown"),
    "electric field strength": Measurand("V/m", "ElectricFieldStrength"),
    "voltage": Measurand("V", "Voltage"),
    "current": Measurand("A", "ElectricCurrent"),
    "power": Measurand("W", "Power"),
    "temperature": Measurand("K", "Temperature"),
    "frequency": Measurand("Hz", "Frequency"),
    "resonance frequency": Measurand("Hz", "Frequency"),
    "transition frequency": Measurand("Hz", "Frequency"),
    "Rabi frequency": Measurand("Hz", "Frequency"),
    "noise power density": Measurand("Hz2/Hz", "Unknown"),
    "fractional frequency": Measurand("1", "DimensionlessRatio"),
    "fractional frequency instability": Measurand("1", "DimensionlessRatio"),
    "time": Measurand("s", "Time"),
    "time delay": Measurand("s", "Time"),
    "coherence time": Measurand("s", "Time"),
    "relaxation time": Measurand("s", "Time"),
    "relaxation rate": Measurand("Hz", "Frequency"),
    "acceleration": Measurand("m/s2", "Acceleration"),
    "gravitational acceleration": Measurand("m/s2", "Acceleration"),
    "rotation rate": Measurand("rad/s", "AngularVelocity"),
    "phase": Measurand("rad", "Angle"),
    "angle": Measurand("rad", "Angle"),
    "length": Measurand("m", "Length"),
    "displacement": Measurand("m", "Length"),
    "separation": Measurand("m", "Length"),
    "force": Measurand("N", "Force"),
    "strain": Measurand("1", "Strain"),
    "squeezing": Measurand("1", "DimensionlessRatio"),
    "quadrature variance": Measurand("1", "DimensionlessRatio"),
    "mean phonon number": Measurand("1", "Dimensionless"),
    "photon number": Measurand("1", "Dimensionless"),
    "population": Measurand("1", "DimensionlessRatio"),
    "probability": Measurand("1", "DimensionlessRatio"),
    "fidelity": Measurand("1", "DimensionlessRatio"),
    "contrast": Measurand("1", "DimensionlessRatio"),
    "count rate": Measurand("Hz", "CountRate"),
    "spin polarisation": Measurand("1", "DimensionlessRatio"),
    "unspecified": Measurand("1", "Unknown"),
}
FIELDS = ("domain", "area", "platform", "protocol", "measurand", "unit")


def described(given: Mapping[str, str], *, platform: str = "", unit: str = "") -> dict[str, str]:
    """Return the description of a run, completed: the domain of its area, the bench's platform, identifiers.

    `given` is `Experiment.quantum`; what an experiment of no platform leaves open (a scan of knobs) comes from the
    bench (`platform`) and from its first signal (`unit`).
    """
    known = {key: str(value) for key, value in given.items() if value}
    known.setdefault("protocol", "parameter scan")
    known.setdefault("area", PROTOCOLS.get(known["protocol"], "metrology"))
    known.setdefault("domain", AREAS.get(known["area"], SENSING))
    if platform:
        known.setdefault("platform", platform)
    known.setdefault("measurand", "unspecified")
    measurand = MEASURANDS.get(known["measurand"])
    known.setdefault("unit", unit or (measurand.unit if measurand else "1"))
    if measurand is not None and measurand.kind != "Unknown":
        known["measurand_uri"] = measurand.uri
    return known


def faults(given: Mapping[str, str]) -> list[str]:
    """Return what of a description is not of the vocabularies, one plain line each."""
    found = [f"quantum/{field} is missing." for field in FIELDS if not given.get(field)]
    area, measurand = given.get("area", ""), given.get("measurand", "")
    if area and area not in AREAS:
        found.append(f"The area {area!r} is none of: {', '.join(AREAS)}.")
    elif area and given.get("domain", AREAS[area]) != AREAS[area]:
        found.append(f"The area {area!r} belongs to the domain {AREAS[area]!r}.")
    if not _known(given.get("platform", ""), PLATFORMS):
        found.append(
            f"The platform {given['platform']!r} is none of: {', '.join(PLATFORMS)}; or 'other: ...'."
        )
    if not _known(given.get("protocol", ""), PROTOCOLS):
        found.append(
            f"The protocol {given['protocol']!r} is not in qlab.fair.vocabulary; or write 'other: ...'."
        )
    if not _known(measurand, MEASURANDS):
        found.append(f"The measurand {measurand!r} is not in qlab.fair.vocabulary; or write 'other: ...'.")
    elif measurand in MEASURANDS and measurand != "unspecified":
        unit = stored_unit(given.get("unit", ""))
        if given.get("unit") and unit != MEASURANDS[measurand].unit:
            found.append(
                f"The measurand {measurand!r} has the unit {MEASURANDS[measurand].unit}, not {unit}."
            )
    return found


def _known(term: str, terms: object) -> bool:
    return not term or term.startswith("other: ") or term in terms  # type: ignore[operator]
