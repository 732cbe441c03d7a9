"""The figure exporter: the picture of a run that the window shows, with a caption, as PNG, SVG or PDF."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlab.errors import QlabError, UsageError
from qlab.runs import Run
from qlab.units import format_measured

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintDevice

WIDTH, HEIGHT, CAPTION = 1200, 750, 96
_NO_ROOM = "a picture cannot be put there"
KINDS = (".png", ".svg", ".pdf")


def write_figure(run: Run, path: Path) -> Path:
    """Write the picture of a run with its fit and its caption, and return its path; light colours, as for paper.

    The ending chooses the format: .png, .svg or .pdf. The run's id stands in the caption and in the file's own
    metadata.
    """
    if path.suffix.lower() not in KINDS:
        raise UsageError(f"{path.name} is no name for a picture.", f"Let it end in {', '.join(KINDS)}.")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        # An empty one is none: Qt would look for a display, and end the process where there is none.
        os.environ["QT_QPA_PLATFORM"] = os.environ.get("QT_QPA_PLATFORM") or "offscreen"
    from qlab.export.writing import whole  # brings HDF5, which the window does without

    try:
        with _shown(run) as view, whole(path) as place:
            _write(view, run, place)
    except (AttributeError, ValueError) as error:
        raise QlabError(f"The picture could not be drawn: {error}.", "Open the run in the window.") from error
    return path


def caption(run: Run) -> str:
    """Return what stands below the picture: the run, what is shown, its fit and first figure of merit, its id."""
    record = run.record
    words = [f"{record.title} ({record.experiment}{', simulated' if record.simulated else ''})."]
    if record.signals:
        words.append(
            f"{record.signals[0].long_name or record.signals[0].name}, errors of one standard deviation."
        )
    fit = next((f for f in reversed(record.fits) if f.success), None)
    if fit is not None:
        found = [
            f"{p.label or p.name} {format_measured(p.value, p.error, p.unit)}"
            for p in fit.parameters
            if p.error
        ]
        words.append(f"Line: fit of {fit.model}; {', '.join(found[:4])}.")
    best = next((f for f in record.figures if not f.limit_of), None)
    if best is not None:
        words.append(f"{best.label} {format_measured(best.value, best.error, best.unit)}.")
    words.append(f"Run {record.id}, {record.started[:19]}.")
    profile = record.profile
    if profile.license:
        words.append(f"{profile.license}.")
    if profile.access not in {"", "open"}:
        words.append(f"Access: {profile.access}{f' until {profile.embargo}' if profile.embargo else ''}.")
    return " ".join(words)


@contextmanager
def _shown(run: Run) -> Iterator[Any]:
    """Give the view of a run, drawn and laid out, without showing it on any screen."""
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
        view.resize(WIDTH, HEIGHT)
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
        yield view
    finally:
        view.close()
        view.deleteLater()


def _write(view: Any, run: Run, path: Path) -> None:
    from PySide6.QtCore import QMarginsF, QSize, QSizeF
    from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPdfWriter
    from PySide6.QtSvg import QSvgGenerator

    label = f"run {run.record.id}"
    size = QSize(WIDTH, HEIGHT + CAPTION)
    match path.suffix.lower():
        case ".png":
            image = QImage(size, QImage.Format.Format_RGB32)
            image.fill(0xFFFFFFFF)
            image.setText("Title", run.record.title)
            image.setText("Description", caption(run))
            image.setText("Run", run.record.id)
            _paint(image, view, caption(run))
            if not image.save(str(path)):
                raise OSError(_NO_ROOM)
        case ".svg":
            svg = QSvgGenerator()
            svg.setFileName(str(path))
            svg.setResolution(96)  # as the screen, so that texts keep their size
            svg.setSize(size)
            svg.setViewBox(svg.viewBox().adjusted(0, 0, size.width(), size.height()))
            svg.setTitle(run.record.title)
            svg.setDescription(label)
            _paint(svg, view, caption(run))
        case _:
            pdf = QPdfWriter(str(path))
            pdf.setTitle(run.record.title)
            pdf.setCreator(f"qlab, {label}")
            pdf.setResolution(144)
            page = QPageSize(QSizeF(WIDTH / 2, (HEIGHT + CAPTION) / 2), QPageSize.Unit.Point)
            pdf.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
            _paint(pdf, view, caption(run))


def _paint(device: "QPaintDevice", view: Any, words: str) -> None:
    from PySide6.QtCore import QPoint, QRect, Qt
    from PySide6.QtGui import QFont, QPainter

    painter: QPainter = QPainter()
    if not painter.begin(device):
        raise OSError(_NO_ROOM)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        view.render(painter, QPoint(0, 0))
        font = QFont()
        font.setPixelSize(17)
        painter.setFont(font)
        painter.setPen(Qt.GlobalColor.black)
        place = QRect(24, HEIGHT + 6, WIDTH - 48, CAPTION - 12)
        painter.drawText(place, int(Qt.TextFlag.TextWordWrap), words)
    finally:
        painter.end()
