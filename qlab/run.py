"""Gone: use qlab.record, qlab.grid, qlab.runs."""

from qlab.grid import Grid, MemoryRows, Rows, grid
from qlab.record import ENDED, Axis, Block, Column, Figure, FitParameter, FitResult, Record, Signal, State
from qlab.runs import Run
