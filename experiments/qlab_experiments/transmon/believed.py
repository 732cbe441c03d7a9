"""The transmon that a protocol on it believes in, and how its shots are judged."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from qlab.physics.systems.transmon import Transmon
from qlab_experiments.transmon.driven import DrivenParameters


def believed_transmon(known: Mapping[str, float], p: DrivenParameters, volts: float = 0.0) -> Transmon:
    """Return a transmon with the known numbers (by the names of a bench's truth, SI units) at a flux bias in V.

    Where its Josephson energy is not known, the drive is resonant: h f = sqrt(8 E_J E_C) - E_C (Koch et al., PRA 76,
    042319 (2007)), its drive and readout are perfect, and nothing decays.
    """
    names = {f.name for f in dataclasses.fields(Transmon)}
    values = {name: value for name, value in known.items() if name in names}
    if "EJ" not in values:
        charging = values.get("EC", Transmon.EC)
        values["EJ"] = (p.microwave_frequency + charging) ** 2 / (8 * charging)
    flux = known.get("flux_offset", 0.0) + known.get("flux_per_volt", 0.0) * volts
    return Transmon(**{**values, "flux": flux})


def judged(
    made: Transmon, p: DrivenParameters, window: float, levels: int
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return the mean field beside each level and how often it is judged to be 1; both (levels,)."""
    resonator = made.probed(p.readout_frequency, p.readout_amplitude)
    seen = [resonator.seen(k, window, made.T1, p.rotation, p.threshold) for k in range(levels)]
    return np.array([field for field, _ in seen]), np.array([ones for _, ones in seen])
