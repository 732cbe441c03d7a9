"""Colours: text can be read in both themes, and a change of theme reaches everything."""

import itertools

import pytest
from PySide6.QtGui import QPalette

from qlab_ui import icons, theme

LOOKS = [theme.LIGHT, theme.DARK]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_text_reaches_wcag_aa(look):
    paper = (look.window, look.base, look.alternate, look.button)
    ink = (look.text, look.muted, look.error, look.warning, look.good, look.accent)
    pairs = [*itertools.product(ink, paper), (look.on_accent, look.accent), (look.on_sim, look.sim)]
    poor = {pair: theme.contrast(*pair) for pair in pairs if theme.contrast(*pair) < 4.5}
    assert not poor


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_curves_stand_out_from_the_paper(look):
    assert min(theme.contrast(colour, look.base) for colour in look.series[:2]) >= 3.0


def test_contrast_is_that_of_wcag():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_palette_knows_its_theme():
    for look in LOOKS:
        assert theme.theme_of(theme.palette(look)) is look


def test_every_icon_shows_something(app):
    for look in ("light", "dark"):
        theme.apply(app, look)
        for name in icons.NAMES:
            image = icons.icon(name).pixmap(24, 24).toImage()
            shown = sum(image.pixelColor(x, y).alpha() > 60 for x in range(24) for y in range(24))
            assert shown > 8, name


def test_switching_reaches_plots_and_panels(app, window, session):
    from tests.ui.steps import finish

    window.call("run")
    finish(window)
    window.call("theme_dark")
    app.processEvents()
    view = window.centre.current().view
    assert view.graphics.backgroundBrush().color().name() == theme.DARK.base
    assert window.palette().color(QPalette.ColorRole.Window).name() == theme.DARK.window
    window.call("theme_light")
    app.processEvents()
    assert view.graphics.backgroundBrush().color().name() == theme.LIGHT.base


def test_text_size_has_bounds(app):
    theme.apply(app, "light", 100)
    natural = app.font().pointSizeF()
    theme.apply(app, "light", 1000)
    assert app.font().pointSizeF() == pytest.approx(2 * natural)
    theme.apply(app, "light", 100)
    assert app.font().pointSizeF() == pytest.approx(natural)
