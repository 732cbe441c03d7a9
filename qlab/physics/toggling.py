"""The toggling frame of a two-level spin under finite, imperfect pulses: how a weak signal along z turns it.

In the frame that the pulses turn, a signal s(t) along z is s(t) n(t), n(t) = R(t)^T z. To first Magnus order it turns
the spin by the vector Phi = int s(t) n(t) dt, whatever the pulses are: finite, detuned, too strong. For ideal pulses
n(t) is +-1 along one axis, and Phi the filter of a decoupling sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NODES = 6  # Gauss points in a pulse
_PLACES, _SHARES = np.polynomial.legendre.leggauss(NODES)


@dataclass(frozen=True)
class Step:
    """A pulse of `rabi` rad/s about the axis at `phase`, or a wait (rabi 0); `seconds` one or (points,)."""

    seconds: Floats
    rabi: float = 0.0
    phase: float = 0.0


@dataclass(frozen=True)
class Toggling:
    """What a sequence makes of z: `last` (points, lines, 3) is R^T z at its end; the rest is n(t) in pieces.

    `along` (pieces, points, lines, 3), with the `middle` and `length` (pieces, points) in s of each; a piece of a
    pulse is a Gauss point, whose length is its weight and which is `sharp`: no time passes in it.
    """

    last: Floats
    along: Floats
    middle: Floats
    length: Floats
    sharp: NDArray[np.bool_]

    def response(self, omega: float) -> NDArray[np.complex128]:
        """Return F = int n(t) exp(i omega t) dt, (points, lines, 3), t from the start of the sequence."""
        half = np.where(self.sharp[:, None], 0.0, self.length) * omega / (2 * np.pi)
        weight = self.length * np.sinc(half) * np.exp(1j * omega * self.middle)
        return np.asarray(np.einsum("kp,kpla->pla", weight, self.along))

    def kept(self, turn: Floats) -> Floats:
        """Return the z left of z = 1, (..., points), after a turn Phi (..., points, lines, 3); mean over lines."""
        angle = np.linalg.norm(turn, axis=-1)
        axis = turn / np.maximum(angle, 1e-300)[..., None]
        z = np.array([0.0, 0.0, 1.0])
        cosine, sine = np.cos(angle)[..., None], np.sin(angle)[..., None]
        left = z * cosine + np.cross(axis, z) * sine + axis * axis[..., 2:] * (1 - cosine)
        return np.asarray((self.last * left).sum(axis=-1).mean(axis=-1))


def toggling(steps: Sequence[Step], detunings: Floats, shift: float = 0.0) -> Toggling:
    """Return the toggling frame of steps for detunings (lines,) in rad/s; `shift` is added to them during pulses."""
    points = max(np.size(step.seconds) for step in steps)
    lines = len(detunings)
    turned = np.broadcast_to(np.eye(3), (points, lines, 3, 3)).copy()
    now = np.zeros(points)
    made: dict[tuple[float, float, float], list[Floats]] = {}
    along, middle, length, sharp = [], [], [], []
    for step in steps:
        seconds = np.broadcast_to(np.asarray(step.seconds, dtype=float), (points,))
        if step.rabi == 0:
            along.append(turned[..., 2, :])
            middle.append(now + seconds / 2)
            length.append(seconds)
            sharp.append(False)
            turned = _rotation(np.zeros(2), detunings * seconds[:, None]) @ turned
        else:
            key = (step.rabi, step.phase, float(seconds[0]))
            if key not in made:
                made[key] = _pieces(step, float(seconds[0]), detunings + shift)
            for share, place, piece in zip(
                [*_SHARES / 2, 0.0], [*(_PLACES + 1) / 2, 1.0], made[key], strict=True
            ):
                turned = piece @ turned
                if share:
                    along.append(turned[..., 2, :])
                    middle.append(now + place * seconds)
                    length.append(share * seconds)
                    sharp.append(True)
        now = now + seconds
    return Toggling(turned[..., 2, :], np.array(along), np.array(middle), np.array(length), np.array(sharp))


def _pieces(step: Step, seconds: float, detunings: Floats) -> list[Floats]:
    """Return the rotations (lines, 3, 3) from one Gauss point of a pulse to the next, its ends included."""
    places = np.concatenate([[0.0], (_PLACES + 1) / 2, [1.0]])
    drive = step.rabi * seconds * np.array([np.cos(step.phase), np.sin(step.phase)])
    return [_rotation(drive * part, detunings * seconds * part) for part in np.diff(places)]


def _rotation(drive: Floats, about_z: Floats) -> Floats:
    """Return rotations by the vector (drive_x, drive_y, about_z) rad; shape (..., 3, 3) for about_z (...)."""
    x, y, z = np.broadcast_arrays(drive[0], drive[1], about_z)
    angle = np.sqrt(x * x + y * y + z * z)
    cross = np.zeros((*np.shape(z), 3, 3))
    cross[..., 0, 1], cross[..., 0, 2], cross[..., 1, 2] = -z, y, -x
    cross = cross - np.swapaxes(cross, -1, -2)
    first = np.sinc(angle / np.pi)[..., None, None]
    second = (np.sinc(angle / (2 * np.pi)) ** 2 / 2)[..., None, None]
    return np.asarray(np.eye(3) + first * cross + second * (cross @ cross))
