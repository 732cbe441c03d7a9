"""Light and dark palettes with checked contrast, and the colours that carry a meaning."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

Role = QPalette.ColorRole
MUTED = Role.PlaceholderText  # secondary text: set with QLabel.setForegroundRole
ERROR = Role.BrightText  # Fusion itself does not use it
WARNING = Role.LinkVisited


@dataclass(frozen=True)
class Theme:
    """The colours of one look. `series` are Okabe-Ito colours that stand out from `base`."""

    name: str
    window: str
    base: str
    alternate: str
    button: str
    text: str
    muted: str
    line: str
    accent: str
    on_accent: str
    error: str
    warning: str
    good: str
    sim: str
    on_sim: str
    series: tuple[str, ...]


LIGHT = Theme(
    name="light",
    window="#f3f4f6",
    base="#ffffff",
    alternate="#f7f8fa",
    button="#fbfbfc",
    text="#1c2128",
    muted="#59626e",
    line="#d3d7dd",
    accent="#0a5ea8",
    on_accent="#ffffff",
    error="#b3261e",
    warning="#8a4b00",
    good="#00694c",
    sim="#f5c451",
    on_sim="#3d2a00",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"),
)
DARK = Theme(
    name="dark",
    window="#202329",
    base="#17191d",
    alternate="#1c1f24",
    button="#2c3038",
    text="#e4e7eb",
    muted="#9ba5b1",
    line="#3a404a",
    accent="#5aa9ee",
    on_accent="#0c1116",
    error="#ff8a80",
    warning="#f2b75c",
    good="#5fd0a5",
    sim="#d9a62e",
    on_sim="#1d1400",
    series=("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#e4e7eb"),
)
CHOICES = ("system", "light", "dark")


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2 of `#rrggbb`."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2 between two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palette(theme: Theme) -> QPalette:
    """Return the Qt palette of a theme."""
    made = QPalette(QColor(theme.button), QColor(theme.window))
    roles = {
        Role.Window: theme.window,
        Role.WindowText: theme.text,
        Role.Base: theme.base,
        Role.AlternateBase: theme.alternate,
        Role.Text: theme.text,
        Role.Button: theme.button,
        Role.ButtonText: theme.text,
        Role.ToolTipBase: theme.base,
        Role.ToolTipText: theme.text,
        Role.Highlight: theme.accent,
        Role.HighlightedText: theme.on_accent,
        Role.Accent: theme.accent,
        Role.Link: theme.accent,
        Role.Mid: theme.line,
        Role.Light: theme.line if theme.name == "dark" else theme.base,
        Role.Midlight: theme.line if theme.name == "dark" else theme.alternate,
        MUTED: theme.muted,
        ERROR: theme.error,
        WARNING: theme.warning,
    }
    for role, colour in roles.items():
        made.setColor(role, QColor(colour))
    faint = QColor(theme.muted)
    faint.setAlpha(150)
    for role in (Role.Text, Role.WindowText, Role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, faint)
    made.setColor(QPalette.ColorGroup.Disabled, Role.Highlight, QColor(theme.line))
    return made


def theme_of(shown: QPalette) -> Theme:
    """Return the theme to which a palette belongs."""
    return DARK if shown.color(Role.Window).lightness() < 128 else LIGHT


def current() -> Theme:
    """Return the theme that the application shows."""
    return theme_of(QApplication.palette())


def resolve(name: str) -> Theme:
    """Return the theme for a setting; `system` follows the desktop."""
    if name == "system":
        dark = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if name == "dark" else LIGHT


def apply(app: QApplication, name: str, text_size: int = 100) -> None:
    """Give the application a look: Fusion, the palette, and text at a percentage of the system's size."""
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette(resolve(name)))
    natural = app.property("qlab_point_size")
    if natural is None:
        natural = app.font().pointSizeF()
        app.setProperty("qlab_point_size", natural)
    font = QFont(app.font())
    font.setPointSizeF(float(natural) * min(max(text_size, 80), 200) / 100)
    if font != app.font():
        app.setFont(font)
