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


def sim_transmon() -> dict[str, Any]:
    """Return the simulated transmon bench: a flux-tunable transmon read through a resonator."""
    drivers = {
        "player": "sim.pulse_player",
        "microwave": "sim.microwave",
        "digitizer": "sim.iq_digitizer",
        "flux": "sim.flux_bias",
    }
    return {
        "name": "sim-transmon",
        "title": "Simulated transmon",
        "platform": "superconducting circuits",
        "world": {"kind": "transmon"},
        "instruments": {name: {"driver": driver} for name, driver in drivers.items()},
        "roles": {name: name for name in drivers},
        "sample": {
            "name": "simulated transmon",
            "description": "Flux-tunable transmon in a dilution refrigerator, simulated",
        },
    }
