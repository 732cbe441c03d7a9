"""The example runs: a dozen small measurements, simulated once with fixed seeds and named as what they show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Example:
    """One run to be made: `truth` is what the simulated bench hides, `note` what to look at."""

    experiment: str
    bench: str
    title: str
    note: str
    tags: tuple[str, ...] = ()
    seed: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    truth: Mapping[str, str] = field(default_factory=dict)
    star: bool = False


def _field_series() -> Iterator[Example]:
    for place, tesla in enumerate((1.995e-3, 2.000e-3, 2.005e-3, 2.010e-3)):
        yield Example(
            "nv.ramsey", "sim-nv", f"Ramsey at {tesla * 1e3:.3f} mT",
            "One of four at different fields: choose all four and overlay them, or plot their field.",
            ("nv", "field-series"), seed=10 + place, parameters={"tau": "0us:3us:151"}, truth={"B": f"{tesla!r} T"},
        )  # fmt: skip


EXAMPLES: tuple[Example, ...] = (
    Example("nv.cw_odmr", "sim-nv", "ODMR spectrum",
            "Three lines, one for each state of the nitrogen nucleus. Their place gives the magnetic field.",
            ("nv", "calibration"), star=True),
    Example("nv.pulsed_odmr", "sim-nv", "Pulsed ODMR", "Narrower lines: no light while the spin turns.", ("nv",)),
    Example("nv.rabi", "sim-nv", "Rabi oscillation", "Gives the length of a π pulse.", ("nv", "calibration")),
    *_field_series(),
    Example("nv.hahn_echo", "sim-nv", "Hahn echo", "The echo undoes slow noise: T2 is far longer than T2*.", ("nv",)),
    Example("nv.t1", "sim-nv", "T1 relaxation", "Relaxation in the dark, over three decades of time.", ("nv",)),
    Example("transmon.ramsey", "sim-transmon", "Transmon Ramsey", "The same protocol on another platform.", ("qubit",)),
    Example("transmon.readout", "sim-transmon", "Readout clouds",
            "Every shot is kept: choose single shots (IQ) above the plot.", ("qubit", "readout")),
    Example("clock.rabi", "sim-clock", "Clock line", "A line of a few hertz, from single atoms counted.", ("clock",)),
    Example("atom.squeezing", "sim-squeezing", "Spin squeezing",
            "The noise of one quadrature falls below that of independent atoms.", ("atoms",),
            parameters={"passes": 8, "shots": 100}),
)  # fmt: skip


def default_folder() -> Path:
    """Return the folder of the examples: beside the data folder of a new user, never among measured data."""
    return Path.home() / "qlab" / "examples"


def missing(folder: Path | str) -> list[int]:
    """Return the places in `EXAMPLES` of those that the folder does not hold yet, by their titles."""
    from qlab.store import list_runs

    folder = Path(folder)
    there = {run.title for run in list_runs(folder) if run.state == "finished"} if folder.is_dir() else set()
    return [place for place, example in enumerate(EXAMPLES) if example.title not in there]


def make_example(folder: Path | str, place: int) -> Path:
    """Measure one example into the folder and say beside it what to look at; return its file."""
    from qlab.api import run
    from qlab.bench import Bench
    from qlab.errors import FileError
    from qlab.store import edit_sidecar

    example = EXAMPLES[place]
    bench = Bench.load(example.bench, seed=example.seed, truth=dict(example.truth))
    made = run(
        example.experiment, bench, out=folder, seed=example.seed, title=example.title, **example.parameters
    )
    if made.path is None:
        raise FileError(f"The example {example.title} has no file.", "Is the folder writable?")
    edit_sidecar(made.path, notes=example.note, tags=("example", *example.tags), star=example.star)
    return made.path
