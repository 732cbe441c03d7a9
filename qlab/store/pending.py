"""What a writer was handed and has not yet handed over: blocks of one table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.record import Block
from qlab.store.columns import Fitter, Table


class Pending:
    """The blocks of one table that are not in its file yet."""

    def __init__(self, table: Table) -> None:
        self._fitter = Fitter(table)
        self.blocks: list[dict[str, NDArray[Any]]] = []
        self.rows = self.bytes = 0

    def add(self, block: Block) -> int:
        """Take a block of whole rows, copied: the caller may go on to fill the same arrays; return its rows."""
        rows, fitted = self._fitter.fit(block)
        if rows:
            self.blocks.append(fitted)
            self.rows += rows
            self.bytes += rows * self._fitter.row_bytes
        return rows

    def joined(self) -> dict[str, NDArray[Any]]:
        """Return all blocks as one."""
        if len(self.blocks) == 1:
            return self.blocks[0]
        return {
            name: np.concatenate([block[name] for block in self.blocks])
            for name in (self.blocks[0] if self.blocks else ())
        }

    def clear(self) -> None:
        """Forget the blocks: they are in the file."""
        self.blocks, self.rows, self.bytes = [], 0, 0
