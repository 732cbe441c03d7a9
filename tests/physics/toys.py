"""Small systems for the engine: levels with given jumps, read by a light that moves nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from qlab.physics.engine import play
from qlab.physics.levels import Block, Light
from qlab.pulses import Acquire, Align, Gate, Program, compile_program


@dataclass
class Toy:
    """A two-level system (excited, ground) or, with `blocks_given`, any levels."""

    detunings: tuple[float, ...] = (0.0,)  # rad/s, transition above the carrier, one block each
    jumps: tuple = ()
    sigma_detuning: float = 0.0
    tau_c: float = np.inf
    dark_rate: float = 0.0
    rates: tuple[float, ...] = (0.0, 0.0)
    initial: tuple[float, ...] = (0.0, 1.0)
    blocks_given: tuple[Block, ...] = field(default=())

    def blocks(self):
        if self.blocks_given:
            return self.blocks_given
        jumps = np.array(self.jumps, dtype=complex).reshape(-1, 2, 2)
        drive = np.array([[0, 1], [0, 0]], dtype=complex)
        return tuple(
            Block(1 / len(self.detunings), np.array([d, 0.0]), np.array([1, 0]), drive, np.array([1, 0]), jumps,
                  np.array(self.initial), np.array([1, 0]))
            for d in self.detunings
        )  # fmt: skip

    def light(self, power):
        return Light(
            np.zeros((0, len(self.rates), len(self.rates)), dtype=complex), np.array(self.rates) * (power > 0)
        )

    def rabi(self, amplitude, setpoints: Mapping):
        return 2 * np.pi * amplitude


def read_out(system, sequence, window=1e-9, **setpoints):
    """Play a sequence and a window on a system; return the Readout."""
    body = sequence + Align() + Gate("laser", window) + Acquire("counter", window, "counts")
    points = {"laser.power": 1.0, **setpoints}
    return play(system, compile_program(Program(body, setpoints=points)))
