"""Rows that make one point together come together, however the blocks cut them."""

import numpy as np
import pytest

from qlab.playing import grouped


@pytest.mark.parametrize("cuts", [[1] * 13, [13], [2, 3, 1, 4, 3], [4, 0, 4, 0, 5]])
def test_groups_are_whole_and_in_order(cuts):
    at, blocks = 0, []
    for size in cuts:
        rows = np.arange(at, at + size)
        blocks.append({"x": rows, "shots": np.stack([rows, rows], axis=1), "time": rows / 10} if size else {})
        at += size
    found = list(grouped(iter(blocks), 4))
    assert sum(not block for block in found) == cuts.count(0)  # checkpoints stay
    whole = [block for block in found if block]
    assert all(len(block["x"]) % 4 == 0 for block in whole)
    np.testing.assert_array_equal(np.concatenate([block["x"] for block in whole]), np.arange(12))
    for block in whole:
        np.testing.assert_array_equal(block["shots"][:, 1], block["x"])
