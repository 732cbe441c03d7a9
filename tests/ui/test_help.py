"""The help pane: pages beside the experiments, formulas and pictures in both themes, else the docstring."""

import subprocess
import sys

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QColor, QTextDocument
from PySide6.QtTest import QTest

from qlab.catalogue import describe
from qlab.pages import page_of
from qlab.registry import plugins
from qlab_ui import formula, theme
from qlab_ui.panels.help import HelpPanel
from tests.ui.steps import frames

EXPERIMENTS = sorted(plugins("experiments"))


def panel_of(app, name):
    panel = HelpPanel()
    panel.resize(460, 700)
    panel.show()
    app.processEvents()
    panel.looked_at(True)
    panel.show_entry(describe(name))
    app.processEvents()
    return panel


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_page_with_formula_and_picture(app, name):
    page = page_of(name)
    assert page is not None
    panel = panel_of(app, name)
    browser = panel.browser
    assert browser.document().toPlainText().strip()
    assert browser._formulas
    html = browser.document().toHtml()
    pictures = [part.split('"')[0] for part in html.split('<img src="')[1:]]
    assert any(not p.startswith("formula:") for p in pictures)
    kind = QTextDocument.ResourceType.ImageResource.value
    for picture in pictures:
        image = browser.loadResource(kind, QUrl(picture))
        assert not image.isNull(), picture
        assert image.width() / image.devicePixelRatio() <= browser.viewport().width(), picture
    # Nothing of TeX is left to be read.
    assert "\\" not in browser.document().toPlainText()
    assert "$" not in browser.document().toPlainText()
    panel.close()


def test_an_experiment_without_a_page_shows_its_docstring(app):
    entry = {"name": "lab.none", "title": "Own", "help": "First line.\n\nSecond_line with 2*3 <b>."}
    panel = HelpPanel()
    panel.resize(400, 300)
    panel.show()
    panel.looked_at(True)
    panel.show_entry(entry)
    assert panel.browser.toPlainText().split() == [
        "Own",
        "First",
        "line.",
        "Second_line",
        "with",
        "2*3",
        "<b>.",
    ]
    panel.close()


def test_pictures_take_the_colours_of_the_theme(app):
    panel = panel_of(app, "transmon.ramsey")
    kind = QTextDocument.ResourceType.ImageResource.value

    def colours():
        image = panel.browser.loadResource(kind, QUrl("transmon.ramsey.svg"))
        return {
            image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
            if image.pixelColor(x, y).alpha() == 255
        }  # fmt: skip

    light = colours()
    theme.apply(app, "dark")
    app.processEvents()
    dark = colours()
    assert theme.LIGHT.series[0] in light
    assert theme.DARK.series[0] in dark
    assert theme.LIGHT.series[0] not in dark
    panel.close()


@pytest.mark.parametrize(("tex", "html"), [
    (r"T_2^*", "<i>T</i><sub>2</sub><sup>∗</sup>"),
    (r"\frac{a+b}{2}", "(<i>a</i>&nbsp;+&nbsp;<i>b</i>)/2"),
    (r"e^{-\tau/T_2}", "<i>e</i><sup>−<i>τ</i>/<i>T</i>₂</sup>"),
    (r"\sqrt{N} < \cos \theta", "√<i>N</i>&nbsp;&lt;&nbsp;cos<i>θ</i>"),
    (r"\left|\Omega\right| = \mathrm{max of it}", "|Ω|&nbsp;=&nbsp;max of it"),
    (r"x_{", "<i>x</i>"),
])  # fmt: skip
def test_formulas_within_a_line(tex, html):
    assert formula.to_html(tex) == html


def test_a_painted_formula_grows_with_what_is_in_it(app):
    black = QColor("black")
    plain, fraction = formula.paint("x", 12, black), formula.paint(r"\frac{x}{y}", 12, black)
    assert fraction.height() > 1.5 * plain.height()
    assert formula.paint("x+x+x", 12, black).width() > 2 * plain.width()
    assert formula.paint("x", 12, black, 2.0).width() == pytest.approx(2 * plain.width(), abs=2)
    tall = formula.paint(r"\left(\frac{x}{y}\right)", 12, black)
    # The bracket reaches from the top to the bottom of the fraction.
    column = [tall.pixelColor(x, y).alpha() for x in range(12) for y in range(tall.height())]
    ink = [i % tall.height() for i, alpha in enumerate(column) if alpha > 40]
    assert max(ink) - min(ink) > 0.7 * fraction.height()


def test_f1_goes_to_the_help_and_links_choose_experiments(window):
    assert not window.docks["help"].isVisible()
    QTest.keyClick(window, Qt.Key.Key_F1)
    frames(window, 3)
    assert window.docks["help"].isVisible()
    assert "Ramsey" in window.help.browser.toPlainText()
    window.help._followed(QUrl("experiment:nv.rabi"))
    frames(window, 2)
    assert window.form.experiment == "nv.rabi"
    assert "Rabi" in window.help.browser.toPlainText()


def test_the_layout_for_teaching_shows_it(window):
    window.call("layout_teach")
    frames(window, 3)
    assert window.help.browser.isVisible()
    assert window.sequence.isVisible()


def test_reading_a_page_imports_no_experiment():
    code = (
        "import sys; from qlab.pages import page_of; assert page_of('transmon.ramsey').text; "
        "bad = [m for m in sys.modules if m.startswith('qlab_experiments')]; assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
