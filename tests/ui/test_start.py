"""Starting: what is imported before the first paint, and the real entry point."""

import subprocess
import sys
import textwrap
from pathlib import Path

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
        "QLAB_CONFIG": str(tmp_path / "c"),
    }
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_heavy_is_imported_by_the_first_paint(tmp_path):
    out = run(
        f"""
        import sys
        from qlab.settings import Settings
        from qlab_ui.app import make_application, make_window
        class Still:
            def submit(self, order): return ""
            def check(self, *a): pass
            def command(self, *a): pass
            def events(self): return []
            def close(self): pass
        app = make_application(["qlab"])
        window = make_window(Still(), Settings(data_folder={str(tmp_path)!r}))
        window._after_first_paint = lambda: None
        window.show()
        window.grab()
        app.processEvents()
        print(sorted(name for name in {(*HEAVY, "pyqtgraph")!r} if name in sys.modules))
        import qlab_ui.plots.choose
        print(sorted(name for name in {HEAVY!r} if name in sys.modules))
        window.close()
        """,
        tmp_path,
    )
    assert out.split("\n")[:2] == ["[]", "[]"]


def test_main_opens_a_window_and_leaves(tmp_path, monkeypatch, app):
    from types import ModuleType

    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from qlab_ui import app as application
    from qlab_ui.window import MainWindow
    from tests.ui.fakes import FakeSession

    session = FakeSession(tmp_path)
    client = ModuleType("qlab.service.client")
    client.connect = lambda *_args: session
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
    import time

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
