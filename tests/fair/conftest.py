"""What the tests of FAIR share: child processes find this same qlab, and a profile filled in whole."""

import sys
from pathlib import Path

import pytest

from qlab import profile

sys.path.insert(0, str(Path(__file__).parent))
from typed_profile import TYPED


@pytest.fixture(autouse=True)
def same_qlab(own_folders, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ":".join(p for p in sys.path if p))


@pytest.fixture
def filled():
    """The profile in use, every field entered."""
    made = profile.load()
    for key, value in TYPED.items():
        made = profile.changed(made, key, value)
    profile.save(made)
    return made
