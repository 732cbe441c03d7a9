"""Values kept under a name: one step into the form, one step back."""

from qlab.settings import load_settings
from tests.ui.steps import frames


def test_a_preset_brings_values_back_and_the_rest_to_its_default(window):
    form, presets = window.form, window.presets
    form.load({"shots": 5}, "typed")
    presets.save("  quick look ")
    form.load({"shots": 999, "passes": 3}, "typed")
    presets.use("quick look")
    assert form.changes() == {"shots": 5}
    window.call("undo")
    assert form.changes() == {"shots": 999, "passes": 3}


def test_presets_belong_to_their_experiment_and_are_kept(window):
    window.form.load({"shots": 5}, "typed")
    window.presets.save("quick")
    assert load_settings()[0].presets == {"nv.ramsey": {"quick": {"shots": 5}}}
    window.experiments.choose("nv.rabi")
    frames(window, 2)
    assert window.presets.known() == {}
    window.experiments.choose("nv.ramsey")
    window.presets.fill()
    assert next(a.text() for a in window.presets.menu().actions()) == "quick"
    window.presets.remove("quick")
    assert window.presets.known() == {}
