"""The figure exporter: the picture of a run that the window shows, as a PNG, with or without a display."""

import os
from pathlib import Path

from qlab.errors import FileError, QlabError
from qlab.runs import Run


def write_figure(run: Run, path: Path) -> Path:
    """Write the picture of a run with its fit as a PNG and return its path; light colours, as for paper."""
    if os.environ.get("DISPLAY") is None and os.environ.get("WAYLAND_DISPLAY") is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QApplication

    from qlab_ui import theme
    from qlab_ui.app import make_application
    from qlab_ui.plots.choose import view_for
    from qlab_ui.work import drawn

    app = make_application(["qlab"])
    theme.apply(app, "light", 100)
    view = view_for(run.record)
    try:
        view.resize(1200, 750)
        view.show_record(run.record)
        signal = run.record.signals[0].name if run.record.signals else ""
        view.draw(run.rows, signal)
        if run.record.fits:
            view.show_fit(drawn(run.record, run.grid(run.record.fits[0].signal), run.record.fits[0]))
        view.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        view.show()
        for _ in range(3):
            # Axes settle over a few passes of the event loop.
            QApplication.processEvents()
        if not view.grab().save(str(path)):
            raise FileError(
                f"The picture cannot be written to {path}.", "Choose a folder that you may write."
            )
    except (AttributeError, ValueError) as error:
        raise QlabError(f"The picture could not be drawn: {error}.", "Open the run in the window.") from error
    finally:
        view.close()
        view.deleteLater()
    return path
