"""Each hard trace either fits right or is flagged in words; none raises, none hides the data."""

import numpy as np
import pytest

from qlab.fits import fit_curve
from tests.fits.catalogue import CATALOGUE
from tests.fits.hard.corpus import CORRUPTIONS, corrupted, named

NAMED = named()


def judged(hard):
    """Fit a hard trace; return its result once it is shown to be right, or flagged in words."""
    kept = [np.array(part, copy=True) for part in (hard.x, hard.y)]
    result = fit_curve(hard.model, hard.x, hard.y, hard.error)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(kept, (hard.x, hard.y), strict=True))
    assert result.model_dump_json()
    if result.success:
        assert result.message == "" or "compatible with 0" in result.message
        assert all(np.isfinite(result.errors[n]) for n in result.free)
        for n, true in hard.truth.items():
            assert abs(result.values[n] - true) < 6 * result.errors[n], (
                n,
                result.values[n],
                result.errors[n],
            )
    else:
        assert len(result.message) > 15
    return result


@pytest.mark.parametrize("name", CATALOGUE)
def test_spoilt_traces(name):
    for kind in CORRUPTIONS:
        hard = corrupted(kind, name)
        try:
            result = judged(hard)
        except AssertionError as error:
            raise AssertionError(f"{kind}: {error}") from error
        assert result.success or hard.verdict != "right", (kind, result.message)


@pytest.mark.parametrize("story", NAMED)
def test_stories(story):
    hard = NAMED[story]
    result = judged(hard)
    if hard.verdict == "right":
        assert result.success, result.message
    if hard.verdict == "flagged":
        assert not result.success, result.values
