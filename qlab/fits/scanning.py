"""The scan of starting values for many traces at once: one product of matrices in single precision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Singles = NDArray[np.float32]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]
NEVER = 1e12  # what a candidate of the wrong sign counts, in sums of squares


@dataclass(frozen=True)
class Found:
    """The best candidates of many traces, the likeliest first.

    Shapes (traces, count): `picked` which candidates, `real` whether there are so many, `promise` the least chi²
    that a fit from there could reach; `coefficients` (traces, count, c) of the columns.
    """

    picked: Indices
    real: Flags
    promise: Reals
    coefficients: Reals


@dataclass(frozen=True)
class Basis:
    """Columns (k, c, n) over the errors of the points made orthonormal, in the order of their positions.

    `back` (k, c, c) leads to the coefficients of the columns; `order` (k,) to the candidates as they were given;
    `alike` candidates in a row share each of `position` (k/alike,).
    """

    columns: Reals
    back: Reals
    order: Indices
    alike: int
    position: Reals
    product: Singles  # the columns beyond the constant, ((c − 1)·k, n)

    @classmethod
    def of(cls, columns: Reals, position: Reals) -> "Basis":
        """Return the basis of weighted columns (k, c, n), the first of which is the same for all."""
        order = np.argsort(position, kind="stable")
        columns, position = columns[order], position[order]
        distinct, number = np.unique(position, return_counts=True)
        alike = int(number[0]) if (number == number[0]).all() else 1
        basis, back = _orthonormal(columns)
        product = basis[:, 1:].swapaxes(0, 1).reshape(-1, basis.shape[-1]).astype(np.float32)
        return cls(basis, back, order, alike, distinct if alike > 1 else position, product)

    def scan(
        self, y: Reals, count: int, apart: float, prior: Reals, wrong: Callable[[Any], Flags] | None,
        loss: float,
    ) -> Found:  # fmt: skip
        """Return the best `count` candidates that lie `apart` for weighted traces (t, n); `prior` (k,) as given."""
        k = len(self.order)
        constant = y @ self.columns[0, 0]
        rest = (y - constant[:, None] * self.columns[0, 0]).astype(np.float32)
        total = np.einsum("tn,tn->t", rest, rest)
        shares = (rest @ self.product.T).reshape(len(y), -1, k)
        gain = np.square(shares[:, 0])
        for i in range(1, shares.shape[1]):
            gain += np.square(shares[:, i])
        score = gain - (prior[self.order] if len(prior) > 1 else prior).astype(np.float32)
        if wrong is not None:
            score[wrong(self._coefficients(constant, shares))] = -NEVER
        picked, real = self._pick(score, count, apart)
        exact = np.einsum("tscn,tn->tsc", self.columns[picked], y)
        coefficients = np.einsum("tscd,tsd->tsc", self.back[picked], exact)
        promise = total[:, None] - np.take_along_axis(gain, picked, axis=1) / (1 - loss)
        return Found(self.order[picked], real, promise.astype(float), coefficients)

    def _coefficients(self, constant: Reals, shares: Singles) -> Singles:
        """Return the coefficients of the columns for every candidate, (t, k, c)."""
        c = shares.shape[1] + 1
        found = np.zeros((len(shares), shares.shape[2], c), dtype=np.float32)
        back = self.back.astype(np.float32)
        for i in range(c):
            for j in range(max(i, 1), c):
                found[..., i] += back[:, i, j] * shares[:, j - 1]
        found[..., 0] += back[:, 0, 0] * constant.astype(np.float32)[:, None]
        return found

    def _pick(self, score: Singles, count: int, apart: float) -> tuple[Indices, Flags]:
        rows, m = np.arange(len(score)), self.alike
        by_position = score.reshape(len(score), -1, m)
        best_there = by_position[..., 0].copy()
        for i in range(1, m):  # numpy's own maximum over so short an axis is slow
            np.maximum(best_there, by_position[..., i], out=best_there)
        place = ((self.position - self.position[0]) / (apart or 1.0)).astype(np.float32)
        picked, real = (
            np.empty((len(score), count), dtype=np.int64),
            np.empty((len(score), count), dtype=bool),
        )
        for i in range(count):
            best = np.argmax(best_there, axis=1)
            real[:, i] = best_there[rows, best] > -NEVER / 2
            inner = np.argmax(by_position[rows, best], axis=-1) if m > 1 else 0
            picked[:, i] = best * m + inner
            if i + 1 < count:
                best_there[np.abs(place - place[best][:, None]) < 1] = -np.inf
        return picked, real


def _orthonormal(columns: Reals) -> tuple[Reals, Reals]:
    """Return an orthonormal basis (k, c, n) of the columns, the first first, and what leads back, (k, c, c)."""
    k, c, _ = columns.shape
    basis = np.array(columns, dtype=float)
    back = np.zeros((k, c, c))
    back[:, np.arange(c), np.arange(c)] = 1.0
    for i in range(c):
        own = np.sqrt(np.einsum("kn,kn->k", basis[:, i], basis[:, i]))
        for _ in range(2):
            for j in range(i):
                share = np.einsum("kn,kn->k", basis[:, i], basis[:, j])
                basis[:, i] -= share[:, None] * basis[:, j]
                back[:, :, i] -= share[:, None] * back[:, :, j]
        left = np.sqrt(np.einsum("kn,kn->k", basis[:, i], basis[:, i]))
        # A column that the earlier ones make up adds nothing.
        norm = np.where(left > 1e-6 * own, left, np.inf)
        basis[:, i] /= norm[:, None]
        back[:, :, i] /= norm[:, None]
    return basis, back


def shaped(values: Mapping[str, Reals], found: Found) -> dict[str, Reals]:
    """Return the shape parameters of the candidates that were found, each (traces, count)."""
    return {name: np.asarray(value, dtype=float)[found.picked] for name, value in values.items()}
