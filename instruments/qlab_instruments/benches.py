"""The preset benches."""

from typing import Any


def sim_nv() -> dict[str, Any]:
    """Return the simulated NV bench: a single NV centre in a confocal microscope."""
    return {
        "name": "sim-nv",
        "title": "Simulated NV",
        "platform": "solid-state spins",
        "world": {"kind": "nv"},
        "instruments": {
            "player": {"driver": "sim.pulse_player"},
            "microwave": {"driver": "sim.microwave"},
            "laser": {"driver": "sim.laser"},
            "counter": {"driver": "sim.photon_counter"},
            "coil": {"driver": "sim.field_coil"},
        },
        "roles": {
            "player": "player",
            "microwave": "microwave",
            "laser": "laser",
            "counter": "counter",
            "coil": "coil",
        },
        "sample": {
            "name": "simulated NV",
            "description": "Single NV centre, natural-abundance diamond, simulated",
        },
    }
