"""What every test has: folders of its own, and a check that it leaves no thread behind."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from qlab.live import remove_left_over

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Two workers share two cores: one thread of linear algebra each.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# A busy machine is slow now and then; that says nothing about what is tested.
hypothesis.settings.register_profile(
    "qlab", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("qlab")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings, sockets, live tables and caches of each test go to a folder of its own."""
    # Socket paths are limited to about 100 characters, so this one is short.
    runtime = (
        Path(f"/tmp/qlab-test-{os.getpid()}-{time.monotonic_ns() % 10**9}")
        if os.name == "posix"
        else tmp_path
    )
    runtime.mkdir(exist_ok=True)
    monkeypatch.setenv("QLAB_RUNTIME", str(runtime))
    monkeypatch.setenv("QLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("QLAB_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("QLAB_PLUGINS", str(tmp_path / "plugins"))
    yield runtime
    if runtime != tmp_path:
        shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_thread_left():
    """Fail a test that leaves a thread of ours running."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        left = [
            t for t in threading.enumerate() if t not in before and t.name.startswith("qlab") and t.is_alive()
        ]
        if not left:
            return
        time.sleep(0.05)
    pytest.fail(f"threads left running: {left}")


@pytest.fixture(autouse=True)
def no_live_table_left(own_folders: Path):
    """Fail a test that leaves a live table behind."""
    yield
    remove_left_over(own_folders)  # of processes that the test has killed
    assert not list(own_folders.glob("*.live"))
