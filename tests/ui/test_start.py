"""Starting: what is imported before the first paint, and the real entry point."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

HEAVY = ("scipy", "qutip", "matplotlib", "lmfit", "pint", "xarray", "h5py")


def run(code, tmp_path):
    script = tmp_path / "start.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    import os

    path = os.pathsep.join([".", "ui", *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "QT_QPA_PLATFORM": "offscreen",
        **{f"QLAB_{name}": str(tmp_path / name) for name in ("CONFIG", "RUNTIME", "STATE", "CACHE")},
    }
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_heavy_is_imported_by_the_first_paint(tmp_path):
    """Through the command itself: the command line with all its commands is not loaded for the window either."""
    out = run(
        f"""
        import sys, threading
        import qlab_ui.window
        def look(window):
            print(sorted(name for name in {(*HEAVY, "pyqtgraph", "typer")!r} if name in sys.modules))
            import qlab_ui.plots.choose
            print(sorted(name for name in {HEAVY!r} if name in sys.modules))
            window.close()
        qlab_ui.window.MainWindow._after_first_paint = look
        sys.argv = ["qlab", "--fresh"]
        from qlab.cli import main
        main()
        """,
        tmp_path,
    )
    assert out.split("\n")[:2] == ["[]", "[]"]


def test_the_first_plot_is_loaded_beside_the_window(app, tmp_path, settings):
    """In a thread, after the first paint: the view of the first run stands ready a moment later."""
    from PySide6.QtTest import QTest

    from qlab_ui.app import make_window
    from tests.ui.fakes import FakeSession, FakeWorker

    window = make_window(FakeSession(tmp_path), settings, FakeWorker())
    assert not window._painted
    window.show()
    end = time.monotonic() + 20
    while window.centre._spare is None and time.monotonic() < end:
        QTest.qWait(20)
    assert window.centre._spare is not None
    assert window._painted
    assert not window._warm_up._thread.is_alive()
    window.close()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], True), (["--fresh"], True), (["open"], True), (["open", "a.h5", "b"], True),
        (["--help"], False), (["--version"], False), (["open", "--help"], False), (["run", "x"], False),
    ],
)  # fmt: skip
def test_which_command_lines_open_the_window(arguments, wanted):
    from qlab.cli.window import is_wanted

    assert is_wanted(arguments) is wanted


def test_main_opens_a_window_and_leaves(tmp_path, monkeypatch, app):
    from types import ModuleType

    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from qlab_ui import app as application
    from qlab_ui.window import MainWindow
    from tests.ui.fakes import FakeSession

    session = FakeSession(tmp_path)
    client = ModuleType("qlab.service.client")
    client.connect = lambda **_given: session
    service = ModuleType("qlab.service")
    service.client = client
    monkeypatch.setitem(sys.modules, "qlab.service", service)
    monkeypatch.setitem(sys.modules, "qlab.service.client", client)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(MainWindow, "_after_first_paint", lambda self: None)
    before = sys.getswitchinterval()

    def look():
        (window,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()]
        seen.append(window.windowTitle())
        window.close()
        app.quit()

    seen = []
    QTimer.singleShot(200, look)
    try:
        assert application.main([]) == 0
    finally:
        sys.setswitchinterval(before)
    assert session.closed
    assert "sim-nv" in seen[0]


def test_what_a_plot_writes_has_one_kind_of_line_end(tmp_path):
    from qlab_ui import work

    path = work.write_csv(str(tmp_path / "x.csv"), [("a, b", [1.0, 2.0]), ("c", [0.5, 0.25])], "a run")
    assert Path(path).read_bytes() == b'# a run\n"a, b",c\n1.0,0.5\n2.0,0.25\n'


def test_the_worker_process_answers_and_tells_of_failure(tmp_path):
    from qlab_ui import library, work
    from qlab_ui.worker import ProcessWorker

    worker, done, failed = ProcessWorker(), [], []
    worker.ask(done.append, failed.append, library.list_folder, str(tmp_path / "none"), "")
    worker.ask(done.append, failed.append, work.write_csv, str(tmp_path / "none" / "x.csv"), [], "")
    end = time.monotonic() + 60
    while len(done) + len(failed) < 2 and time.monotonic() < end:
        worker.poll()
        time.sleep(0.02)
    pool = worker._pool
    worker.close()
    pool.shutdown(wait=True)
    assert done == [library.Page()]
    assert failed[0].hint == "Choose another folder."


def test_an_exception_nobody_caught_is_shown(window, app, monkeypatch):
    from qlab_ui.app import show_exceptions
    from qlab_ui.dialogs.error import ErrorDialog

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    show_exceptions(window)
    try:
        raise ValueError("a fault")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    app.processEvents()
    dialog = window.findChild(ErrorDialog)
    assert "a fault" in dialog._report
    assert "test_start.py" in dialog._report
    dialog.close()
