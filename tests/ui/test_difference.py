"""Two runs side by side: what was set differently, and nothing else."""

from qlab_ui.dialogs.difference import Difference, differences
from tests.ui.fakes import ramsey_record


def test_only_what_was_set_differently_is_told():
    one, other = ramsey_record(), ramsey_record()
    assert not [row for row in differences(one, other) if row[3]]
    changed = other.model_copy(update={"parameters": {**other.parameters, "shots": 40000}, "seed": 7})
    found = {name: (a, b) for name, a, b, differ in differences(one, changed) if differ}
    assert found == {"parameters › shots": ("20000", "40000"), "seed": ("1", "7")}


def test_a_setting_that_only_one_has_is_told_too():
    one, other = ramsey_record(), ramsey_record()
    more = other.model_copy(update={"truth": {"B": 2e-3}})
    assert ("truth › B", "–", "0.002", True) in differences(one, more)


def test_the_dialog_hides_what_is_the_same_until_asked(app, window):
    one, other = ramsey_record(), ramsey_record(points=101)
    dialog = Difference(window, one, other)
    dialog.show()
    items = [dialog.tree.topLevelItem(i) for i in range(dialog.tree.topLevelItemCount())]
    seen = [item.text(0) for item in items if not item.isHidden()]
    assert "parameters › tau" in seen
    assert "seed" not in seen
    dialog.all_box.setChecked(True)
    assert all(not item.isHidden() for item in items)
    dialog.close()
