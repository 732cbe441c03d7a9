"""The help pane: what the chosen experiment is, with its formulas and pictures, beside the plot."""

import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QPainter,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from qlab.pages import HelpPage, page_of
from qlab_ui import theme

_DISPLAY = re.compile(r"^[ \t]*\$\$(.+?)\$\$[ \t]*$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<![\\$])\$(?!\s)([^$\n]+?)(?<!\s)\$(?!\d)")
_CODE = re.compile(r"`[^`\n]*`")
_MOST = 66  # average characters that a picture is wide at most
_EXPERIMENT = "experiment"


class HelpBrowser(QTextBrowser):
    """Shows Markdown with formulas and pictures in the colours of the theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._formulas: list[str] = []
        self._page: HelpPage | None = None
        self._width = 0
        # Drawn again once Qt is through with the change: a document is not replaced while it is being laid out.
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.draw)
        self.setOpenLinks(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setAccessibleName("Help")
        self.setToolTip("")
        self.document().setDocumentMargin(self.fontMetrics().averageCharWidth() * 1.5)

    def show_page(self, page: HelpPage) -> None:
        """Show a page."""
        self._page = page
        self.draw()
        self.verticalScrollBar().setValue(0)

    def draw(self) -> None:
        """Draw the page again, in the colours and the size of now."""
        if self._page is None:
            return
        place = self.verticalScrollBar().value()
        self._formulas = []
        self.document().clear()
        self.document().setDefaultFont(self.font())
        self.document().setMarkdown(self._prepared(self._page.text))
        self._set_type()
        self.verticalScrollBar().setValue(place)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Return a picture of the page or one of its formulas."""
        url = QUrl(name)
        if kind == QTextDocument.ResourceType.ImageResource.value:
            if url.scheme() == "formula":
                return self._formula(int(url.path()))
            if self._page is not None and not url.scheme():
                return self._picture(self._page.folder / url.path())
        return super().loadResource(kind, url)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw pictures as wide as there is room."""
        super().resizeEvent(event)
        if abs(self.viewport().width() - self._width) > self.fontMetrics().averageCharWidth():
            self._width = self.viewport().width()
            self._soon.start()

    def draw_soon(self) -> None:
        """Draw again with the next turn of the event loop."""
        self._soon.start()

    def _prepared(self, text: str) -> str:
        def alone(found: re.Match[str]) -> str:
            self._formulas.append(found.group(1).strip())
            return f"\n![formula](formula:{len(self._formulas) - 1})\n"

        def within(found: re.Match[str]) -> str:
            from qlab_ui import formula  # which nobody needs at the start

            return formula.to_html(found.group(1))

        parts, last = [], 0
        text = _DISPLAY.sub(alone, text)
        for code in _CODE.finditer(text):  # what stands between backquotes stays as it is
            parts += [_INLINE.sub(within, text[last : code.start()]), code.group()]
            last = code.end()
        return "".join([*parts, _INLINE.sub(within, text[last:])])

    def _formula(self, number: int) -> QImage:
        look = theme.theme_of(self.palette())
        size = self.font().pointSizeF() * 1.25
        ratio, ink = self.devicePixelRatioF(), QColor(look.text)
        from qlab_ui import formula

        image = formula.paint(self._formulas[number], size, ink, ratio)
        wide, room = image.width() / ratio, self._room()
        # A long formula becomes smaller rather than be cut off, down to the size of the text around it.
        if wide > room:
            image = formula.paint(self._formulas[number], size * max(room / wide, 0.55), ink, ratio)
        return image

    def _room(self) -> float:
        """Return how wide a picture may be."""
        return max(self.viewport().width() - 2 * self.document().documentMargin() - 4, 40.0)

    def _picture(self, file: Path) -> QImage:
        """Return a picture as wide as the pane, a drawing in the colours of the theme."""
        wide = min(self._room(), self.fontMetrics().averageCharWidth() * _MOST)
        ratio = self.devicePixelRatioF()
        if file.suffix.lower() != ".svg":
            image = QImage(str(file))
            return (
                image.scaledToWidth(int(wide), Qt.TransformationMode.SmoothTransformation) if wide else image
            )
        from PySide6.QtSvg import QSvgRenderer

        try:
            drawing = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return QImage()
        renderer = QSvgRenderer(QByteArray(self._coloured(drawing).encode()))
        natural = renderer.defaultSize()
        size = QSize(int(wide), int(wide * natural.height() / max(natural.width(), 1)))
        image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        renderer.render(painter, QRectF(0, 0, size.width(), size.height()))
        painter.end()
        return image

    def _coloured(self, drawing: str) -> str:
        look = theme.theme_of(self.palette())
        for place, colour in enumerate(theme.LIGHT.series[:4]):
            drawing = drawing.replace(colour, look.series[place])
        return drawing.replace("currentColor", look.text).replace("#808080", look.muted)

    def _set_type(self) -> None:
        """Give headings their sizes, paragraphs their room, and put what stands alone in the middle."""
        line = self.fontMetrics().height()
        cursor = QTextCursor(self.document())
        block = self.document().begin()
        while block.isValid():
            cursor.setPosition(block.position())
            shape = QTextBlockFormat(block.blockFormat())
            level = shape.headingLevel()
            alone = block.text().strip() == "\ufffc"
            if alone:
                shape.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            if block.textList() is None:
                shape.setTopMargin(line * (0.9 if level and block.position() else 0.35))
                shape.setBottomMargin(line * (0.3 if level else 0.45))
            shape.setLineHeight(118.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            if alone:
                shape.setLineHeight(100.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor.setBlockFormat(shape)
            if level:
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                # A fresh format: that of a heading has an adjustment that would override the size.
                letters = QTextCharFormat()
                letters.setFontPointSize(self.font().pointSizeF() * {1: 1.35, 2: 1.12}.get(level, 1.0))
                letters.setFontWeight(700)
                cursor.setCharFormat(letters)
            block = block.next()


class HelpPanel(QWidget):
    """The page of one experiment; a docstring where nobody has written a page."""

    experimentWanted = Signal(str)
    linkWanted = Signal(QUrl)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("help")
        self.browser = HelpBrowser(self)
        self.browser.anchorClicked.connect(self._followed)
        self._entry: dict[str, Any] | None = None
        self._drawn: dict[str, Any] | None = None
        self._seen = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.browser)
        self.setFocusProxy(self.browser)

    def show_entry(self, entry: dict[str, Any] | None) -> None:
        """Show what an entry of the catalogue is; drawn when it is seen."""
        self._entry = entry
        self._draw()

    def looked_at(self, seen: bool) -> None:
        """Know whether the pane is seen: a dock behind another tab is not."""
        self._seen = seen
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Draw again after a change of theme or of the size of the text."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange} and hasattr(self, "browser"):
            self.browser.draw_soon()

    def _draw(self) -> None:
        entry = self._entry
        if not self._seen or entry is None or entry is self._drawn:
            return
        self._drawn = entry
        title = str(entry.get("title") or entry["name"])
        page = page_of(str(entry["name"])) or HelpPage(_from_docstring(title, entry), Path())
        self.browser.setAccessibleDescription(f"Help on {title}")
        self.browser.show_page(page)

    def _followed(self, url: QUrl) -> None:
        if url.scheme() == _EXPERIMENT:
            self.experimentWanted.emit(url.path())
        elif url.scheme() in {"http", "https"}:
            self.linkWanted.emit(url)


def _from_docstring(title: str, entry: dict[str, Any]) -> str:
    words = str(entry.get("help") or entry.get("summary") or "Nothing is written about it yet.")
    lines = [re.sub(r"([\\`*_\[\]#$<>])", r"\\\1", line.strip()) for line in words.splitlines()]
    return f"# {title}\n\n" + "\n".join(line or "\n" for line in lines)
