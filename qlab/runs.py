"""A run, live or reopened: its record, its rows, its gridded view, fits and figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qlab.grid import Grid, Rows, grid
from qlab.record import Figure, FitResult, Record, State

if TYPE_CHECKING:
    from qlab.fits import Fit, FitModel


@dataclass(frozen=True)
class Run:
    """One run, live or reopened: its record, its rows, and where its file is."""

    record: Record
    rows: Rows
    path: Path | None = None

    @property
    def id(self) -> str:
        """The run's UUID."""
        return self.record.id

    @property
    def state(self) -> State:
        """The run's state."""
        return self.record.state

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as plain data, in SI units."""
        return self.record.parameters

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column of the rows, or the gridded values of a signal."""
        if any(column.name == name for column in self.record.columns):
            return np.asarray(self.rows.column(name))
        return self.grid(name).value

    def grid(self, signal: str = "") -> Grid:
        """Return the gridded view of a signal, the first one by default."""
        return grid(self.record, self.rows, signal)

    def fit(
        self,
        model: "str | FitModel" = "",
        *,
        signal: str = "",
        fixed: Mapping[str, float] | None = None,
        start: FitResult | Mapping[str, float] | None = None,
    ) -> "Fit":
        """Fit the gridded signal with a model (the experiment's own by default); `start`: an earlier fit."""
        from qlab.fits import fit_grid

        return fit_grid(self.record, self.grid(signal), model, fixed=fixed, start=start)

    @property
    def figures(self) -> dict[str, Figure]:
        """The figures of merit by name, as they stand in the record."""
        return {figure.name: figure for figure in self.record.figures}

    @property
    def streams(self) -> dict[str, Rows]:
        """The streams beside the rows by name: time tags, upkeep; only a run from a file has them."""
        given = getattr(self.rows, "stream", None)
        return {stream.name: given(stream) for stream in self.record.streams} if given else {}

    def to_xarray(self, group: str = "data") -> Any:
        """Return the gridded view ("data"), the rows ("shots") or a stream as an xarray Dataset (extra `xarray`)."""
        from qlab.store.analyst import to_xarray

        return to_xarray(self, group)
