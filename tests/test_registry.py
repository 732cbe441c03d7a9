"""Plug-ins: listed without an import, broken ones said with their reason, a lab's own files found."""

import subprocess
import sys

import pytest

from qlab.errors import UsageError
from qlab.registry import load, plugins


@pytest.fixture(autouse=True)
def fresh():
    plugins.cache_clear()
    yield
    plugins.cache_clear()


def test_listing_imports_nothing_of_ours():
    code = (
        "import sys; from qlab.registry import plugins; n = len(plugins('experiments'));"
        "print(n, [m for m in sys.modules if m.startswith(('qlab_', 'qutip', 'scipy'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, _, imported = said.stdout.strip().partition(" ")
    assert imported == "[]"
    assert int(count) >= 19


def test_an_unknown_name_suggests_a_known_one():
    with pytest.raises(UsageError, match=r"Did you mean 'nv\.ramsey'"):
        load("experiments", "nv.ramsy")


def test_a_drop_in_file_is_found_and_a_broken_one_says_why(tmp_path):
    folder = tmp_path / "plugins" / "experiments"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text("plugin = 42\n")
    (folder / "broken.py").write_text("import nowhere\n")
    assert load("experiments", "mine") == 42
    with pytest.raises(UsageError, match=r"broken\.py is broken: ModuleNotFoundError"):
        load("experiments", "broken")
    from qlab.catalogue import catalogue

    rows = {entry["name"]: entry for entry in catalogue() if entry["name"] != "mine"}
    assert "ModuleNotFoundError" in rows["broken"]["broken"]
    assert rows["nv.ramsey"]["title"] == "Ramsey fringes"
