"""nv.vector: the field vector from the lines of all four NV axes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from pydantic import Field
from pydantic.config import JsonDict

from qlab.physics.constants import D_NV
from qlab.physics.engine import play as play_on
from qlab.physics.systems.nv import LOWER, UPPER, NVCentre
from qlab.physics.systems.nv_axes import AXES, axis_frame
from qlab.pulses import compile_program
from qlab.scan import Linear, Scan
from qlab.units import Hertz, Tesla, Unit
from qlab_experiments.nv.believed import believed_centre
from qlab_experiments.nv.continuous import ContinuousNV, ContinuousParameters
from qlab_experiments.nv.pulsed import Shots
from qlab_experiments.nv.vector_figures import field_vector

GUIDE: JsonDict = {"group": "Bias field"}


class VectorParameters(ContinuousParameters):
    """Settings of vector magnetometry; the bias says which of 48 fields with the same lines is meant."""

    frequency: Scan[Hertz] = Field(Linear(2.76e9, 2.985e9, 751), title="Frequency")
    rabi_frequency: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        0.25e6, title="Rabi frequency", description="Strength of the microwave"
    )
    shots: Shots = Field(40, title="Shots", description="Repetitions of each point, over all passes")
    near_x: Tesla = Field(
        1.5e-3, title="Bias along x", description="About, from the magnet", json_schema_extra=GUIDE
    )
    near_y: Tesla = Field(
        0.5e-3, title="Bias along y", description="About, from the magnet", json_schema_extra=GUIDE
    )
    near_z: Tesla = Field(
        4e-3, title="Bias along z", description="About, from the magnet", json_schema_extra=GUIDE
    )
    nitrogen: Literal[15, 14] = Field(
        15,
        title="Nitrogen",
        description="Which isotope splits the lines",
        json_schema_extra={"group": "Model"},
    )
    expected_noise: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        150e3, title="Expected detuning noise", description="Gaussian part of the line shape, held fixed in the fit",
        json_schema_extra={"group": "Model"},
    )  # fmt: skip


class Vector(ContinuousNV[VectorParameters]):
    """Eight lines, two of each axis of the crystal, give all three components of the field, and D.

    Sequence: CW ODMR over all lines. Each axis n_a sees H/h = D Sz² + γ B·S + A Sz Iz + A⊥(Sx Ix + Sy Iy); the fit
    diagonalises it for the four axes with one B and one D, so that transverse fields, which bend the lines, help.
    The Cramér–Rao bound of each component follows from the slopes of all lines.
    Reference: Schloss et al., Phys. Rev. Applied 10, 034044 (2018); Maertz et al., Appl. Phys. Lett. 96, 092504 (2010).
    Try: turn the coil on by 20 µT along x; a field along [100], where all axes see the same; 14N.
    """

    title = "Vector magnetometry"
    group = "Sensing"
    preset = "sim-nv-vector"
    fit = "nv_vector"
    figures = (field_vector,)
    quantum: ClassVar = {**ContinuousNV.quantum, "protocol": "vector magnetometry"}

    def fit_context(self) -> dict[str, float]:
        """Return the line shape, the nucleus, and about where the field points."""
        p = self.parameters
        return {
            "sigma_detuning": p.expected_noise, "nitrogen": float(p.nitrogen),
            "near_x": p.near_x, "near_y": p.near_y, "near_z": p.near_z,
        }  # fmt: skip

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the components of the field, and D, where all axes are seen."""
        names = ("Bx", "By", "Bz", "D")
        return {name: truth[name] for name in names} if truth.get("orientations") == 4 else {}

    def believed(self, known: Mapping[str, float]) -> list[NVCentre]:
        """Return centres along all four axes in the field of the design."""
        p, count = self.parameters, len(AXES)
        field = np.array([known.get("Bx", p.near_x), known.get("By", p.near_y), known.get("Bz", p.near_z)])
        told = {"nitrogen": p.nitrogen, "sigma_detuning": p.expected_noise, **known}
        one = believed_centre({**told, "emitters": known.get("emitters", count) / count}, D_NV)
        turned = [axis_frame(axis) @ field for axis in range(count)]
        return [replace(one, field=(float(x), float(y), float(z)), mixed_nucleus=True) for x, y, z in turned]

    def model(self, systems: Sequence[NVCentre]) -> dict[str, Any]:
        """Return what centres along some axes show together, without noise.

        `rate` (points,) in counts per second, and `lines` (axes, 2) in Hz: the mean of the hyperfine lines of each
        transition, the lower one first.
        """
        timeline = compile_program(self.program())
        rate = sum(play_on(system, timeline).expected("counts") for system in systems)
        found = [[system.spectrum(m) for m in (LOWER, UPPER)] for system in systems]
        lines = [sorted(float(where @ share) for where, share in each) for each in found]
        return {"rate": np.asarray(rate) / self.parameters.dwell, "lines": np.array(lines)}
