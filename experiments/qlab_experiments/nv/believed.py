"""The NV centre that a protocol on it believes in: from what is known, the rest as usual."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from qlab.physics.constants import D_NV, GAMMA_NV
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.nv_levels import couplings


def believed_centre(known: Mapping[str, float], carrier: float) -> NVCentre:
    """Return an NV centre with the known numbers (by the names of a bench's truth, SI units).

    Its field is `B` along (`theta`, `phi`), or else the axial one at which the carrier (Hz) is about resonant; the
    spread of detunings is `sigma_detuning`, or what `T2_star` means, 1/(√2π T2*).
    """
    strength = known.get("B", abs(known.get("D", D_NV) - carrier) / known.get("gamma", GAMMA_NV))
    theta, phi = known.get("theta", 0.0), known.get("phi", 0.0)
    field = (
        strength * math.sin(theta) * math.cos(phi), strength * math.sin(theta) * math.sin(phi),
        strength * math.cos(theta),
    )  # fmt: skip
    decay = known.get("T2_star", 0.0)
    noise = known.get("sigma_detuning", 1 / (math.sqrt(2) * math.pi * decay) if decay > 0 else 0.0)
    kinds = {"nitrogen": int(known.get("nitrogen", 14)), "equivalent": int(known.get("equivalent", 1))}
    coupled = couplings(
        kinds["nitrogen"], kinds["equivalent"],
        known.get("hyperfine_parallel", 0.0), known.get("hyperfine_perpendicular", 0.0),
    )  # fmt: skip
    names = {f.name for f in dataclasses.fields(NVCentre)} - {"field", "noise_hz", *kinds}
    values: dict[str, Any] = {**coupled, **{n: v for n, v in known.items() if n in names}, **kinds}
    return shining(NVCentre(field=field, noise_hz=noise, **values), known.get("emitters", 1.0))


def shining(centre: NVCentre, emitters: float) -> NVCentre:
    """Return a centre that shines like so many: what is counted in the dark comes with each of them."""
    return dataclasses.replace(
        centre, saturated_rate=emitters * centre.saturated_rate, background_rate=emitters * centre.background_rate,
        dark_rate=emitters * centre.dark_rate,
    )  # fmt: skip
