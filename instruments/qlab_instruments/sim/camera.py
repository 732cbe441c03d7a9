"""A simulated camera that counts atoms."""

from qlab_instruments.sim.detector import SimulatedDetector


class SimulatedCamera(SimulatedDetector):
    """Takes two pictures after each shot: the atoms in the upper and in the lower state."""

    title = "Simulated camera"
    line = "camera"
