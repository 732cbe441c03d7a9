"""Metadata as people complete it: what is missing, who they are, the FAIR report."""

import pytest

from qlab import profile as profiles
from qlab_ui.dialogs.fair import FairPage
from qlab_ui.dialogs.profile import ProfileDialog
from tests.ui.steps import finish, frames


def test_the_pane_says_what_is_missing_needed_things_first(window):
    window.call("run")
    finish(window)
    panel = window.record
    assert panel.missing.topLevelItemCount() > 3
    labels = [panel.missing.topLevelItem(i).text(0) for i in range(panel.missing.topLevelItemCount())]
    assert "Licence" in labels[:5]
    assert "given" in panel.line.text()
    assert panel.bar.value() < panel.bar.maximum()


@pytest.fixture
def dialog(window):
    made = ProfileDialog(window, "orcid")
    made.show()
    yield made
    made.close()


def test_a_field_is_kept_when_it_is_left_and_only_when_it_is_good(dialog):
    line = dialog.lines["license"]
    line.setText("CC-BY-4.0")
    line.editingFinished.emit()
    assert profiles.load().license == "CC-BY-4.0"
    dialog.lines["orcid"].setText("0000-0002-1825-0098")  # the last digit is the checksum's
    dialog.lines["orcid"].editingFinished.emit()
    assert dialog._faults["orcid"].text()
    assert profiles.load().orcid == ""
    dialog.lines["orcid"].setText("0000-0002-1825-0097")
    dialog.lines["orcid"].editingFinished.emit()
    assert not dialog._faults["orcid"].text()
    assert profiles.load().orcid.endswith("0000-0002-1825-0097")


def test_a_grant_is_kept_field_by_field(dialog):
    for key, value in (("funding.1.funder", "European Commission"), ("funding.1.number", "101234567")):
        dialog.lines[key].setText(value)
        dialog.lines[key].editingFinished.emit()
        assert not dialog._faults[key].text()
    award = profiles.load().funding[0]
    assert (award.funder, award.number) == ("European Commission", "101234567")


def test_another_profile_starts_as_a_copy(dialog):
    dialog.lines["project"].setText("Q-Sense")
    dialog.lines["project"].editingFinished.emit()
    dialog._use("second", new=True)
    assert profiles.active() == "second"
    assert profiles.load().project == "Q-Sense"
    dialog._use("two words", new=True)
    assert "cannot be the name" in dialog._faults["name"].text()


def test_the_report_of_a_real_file_is_a_page(window, tmp_path):
    import qlab
    from qlab.fair import report

    run = qlab.run("nv.rabi", qlab.Bench.load("sim-nv", seed=1), shots=200, out=tmp_path)
    made = report(run.path)
    page = FairPage(window, "Rabi", made)
    page.show()
    frames(window, 1)
    tree = page.findChild(type(window.record.missing), "metrics")
    verdicts = [tree.topLevelItem(i).text(1) for i in range(tree.topLevelItemCount())]
    assert verdicts.count("met") == made.met
    assert verdicts == sorted(verdicts, key=["missed", "met", "by a repository"].index)
    advice = tree.topLevelItem(0).text(3)
    room = tree.visualItemRect(tree.topLevelItem(0))
    lines = room.height() / tree.fontMetrics().height()
    assert lines * tree.columnWidth(3) > tree.fontMetrics().horizontalAdvance(
        advice
    )  # all of it is to be read
    page.close()
