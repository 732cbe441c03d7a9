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
            "generator": {"driver": "sim.signal_generator"},
        },
        "roles": {
            "player": "player",
            "microwave": "microwave",
            "laser": "laser",
            "counter": "counter",
            "coil": "coil",
            "generator": "generator",
        },
        "sample": {
            "name": "simulated NV",
            "description": "Single NV centre, natural-abundance diamond, simulated",
        },
    }


def sim_nv_ac() -> dict[str, Any]:
    """Return an NV bench for AC fields: 15NV in 12C diamond, with a coherent signal from the sample near 1 MHz.

    At 40 mT the other transition is far, so that pulses can be short. T2* near 20 us and T2 beyond 100 us are
    those of isotopically purified diamond (Balasubramanian, Nat. Mater. 8, 383 (2009)); the signal is about as strong
    as a calibration wire's in Qdyne (Schmitt, Science 356, 832 (2017)).
    """
    truth = {
        "B": 40e-3, "nitrogen": 15, "sigma_detuning": 11e3, "tau_c": 10e-3, "Tphi": 300e-6, "saturated_rate": 800e3,
        "signal_amplitude": 0.9e-6, "signal_frequency": 1.003217e6, "signal_phase": 0.8, "coil_gain": 0.94,
    }  # fmt: skip
    return {
        **sim_nv(),
        "name": "sim-nv-ac",
        "title": "Simulated NV, AC fields",
        "world": {"kind": "nv", "truth": truth},
        "sample": {
            "name": "simulated NV near a signal",
            "description": "Single 15NV centre, 12C diamond, with an AC signal from the sample, simulated",
        },
    }


def sim_nv_vector() -> dict[str, Any]:
    """Return an NV bench with an ensemble of all four axes in a bias field, as in a vector magnetometer.

    A bias of some millitesla apart from all symmetry directions splits the eight lines (Schloss, PR Applied 10,
    034044 (2018)).
    """
    truth = {
        "orientations": 4, "emitters": 4000, "B": 4.1e-3, "theta": 0.345, "phi": 0.38, "nitrogen": 15,
        "sigma_detuning": 150e3, "saturated_rate": 400e3, "field_drift": 2e-10,
    }  # fmt: skip
    return {
        **sim_nv(),
        "name": "sim-nv-vector",
        "title": "Simulated NV, four axes",
        "world": {"kind": "nv", "truth": truth},
        "sample": {
            "name": "simulated NV ensemble",
            "description": "15NV centres along all four axes of a (100) diamond, simulated",
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
    described = "Flux-tunable transmon in a dilution refrigerator, simulated"
    return _bench("transmon", "superconducting", described, drivers)


def sim_clock() -> dict[str, Any]:
    """Return the simulated clock bench: ytterbium in an optical lattice and its clock laser."""
    drivers = {
        "player": "sim.pulse_player",
        "oscillator": "sim.local_oscillator",
        "camera": "sim.camera",
        "comparator": "sim.frequency_comb",
    }
    return _bench("clock", "neutral atoms", "171Yb in an optical lattice, simulated", drivers)


def sim_squeezing() -> dict[str, Any]:
    """Return the simulated squeezing bench: atoms in a cavity, twisted by light."""
    drivers = {"player": "sim.pulse_player", "camera": "sim.camera"}
    return _bench("squeezing", "neutral atoms", "200 atoms in an optical cavity, simulated", drivers)


def sim_photonics() -> dict[str, Any]:
    """Return the simulated optical table: an interferometer, and a beam splitter for photon pairs."""
    drivers = {
        "player": "sim.pulse_player",
        "laser": "sim.attenuated_laser",
        "squeezer": "sim.squeezer",
        "source": "sim.state_source",
        "pairs": "sim.pair_source",
        "shifter": "sim.phase_shifter",
        "delay": "sim.delay_line",
        "numbers": "sim.number_counter",
        "coincidences": "sim.coincidence_counter",
        "homodyne": "sim.homodyne",
    }
    return _bench("photonics", "photonic", "Two-mode interferometer and pair source, simulated", drivers)


def sim_ion() -> dict[str, Any]:
    """Return the simulated ion trap: calcium ions on a string, entangled through their motion."""
    drivers = {
        "player": "sim.pulse_player",
        "trap": "sim.ion_trap",
        "gate": "sim.bichromatic_drive",
        "camera": "sim.camera",
    }
    return _bench("ion", "trapped ions", "40Ca+ ions in a linear trap, simulated", drivers)


def sim_atoms() -> dict[str, Any]:
    """Return the simulated gravimeter: cold rubidium in free fall."""
    drivers = {"player": "sim.pulse_player", "raman": "sim.raman_lasers", "camera": "sim.camera"}
    return _bench("atoms", "cold-atom interferometer", "Laser-cooled 87Rb in free fall, simulated", drivers)


def sim_rydberg() -> dict[str, Any]:
    """Return the simulated vapour cell: Rydberg states, two lasers and a radio field."""
    drivers = {
        "player": "sim.pulse_player",
        "probe": "sim.probe_laser",
        "coupling": "sim.coupling_laser",
        "microwave": "sim.microwave",
        "photodiode": "sim.photodiode",
    }
    return _bench("rydberg", "atomic vapour", "87Rb vapour cell with a horn, simulated", drivers)


def own(world: str, platform: str = "other: own physics") -> dict[str, Any]:
    """Return a bench for a world of one's own (`qlab_instruments.worlds.user.UserWorld`), by the world's name."""
    drivers = {"player": "sim.pulse_player", "sample": "sim.sample", "counter": "sim.click_counter"}
    return _bench(world, platform, "a system given as QuTiP objects, simulated", drivers)


def _bench(kind: str, platform: str, description: str, drivers: dict[str, str]) -> dict[str, Any]:
    """Return a bench whose instruments are named as the roles they play."""
    return {
        "name": f"sim-{kind}",
        "title": f"Simulated {kind}",
        "platform": platform,
        "world": {"kind": kind},
        "instruments": {name: {"driver": driver} for name, driver in drivers.items()},
        "roles": {name: name for name in drivers},
        "sample": {"name": f"simulated {kind}", "description": description},
    }
