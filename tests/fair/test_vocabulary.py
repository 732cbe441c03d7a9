"""The vocabularies: every installed experiment describes itself with their terms."""

import pytest

from qlab.fair.vocabulary import AREAS, MEASURANDS, PLATFORMS, PROTOCOLS, described, faults
from qlab.registry import load, plugins
from qlab.store.storedunits import stored_unit

BENCHES = {name: plugin.load()() for name, plugin in plugins("benches").items()}


@pytest.mark.parametrize("name", sorted(plugins("experiments")))
def test_every_installed_experiment_uses_terms_of_the_vocabulary(name):
    kind = load("experiments", name)
    platform = next(iter(BENCHES.values()))["platform"]
    known = described(kind.quantum, platform=platform, unit="1")
    assert faults(known) == [], "add the term to qlab/fair/vocabulary.py, or write 'other: ...'"
    if kind.quantum:
        assert faults({**known, **kind.quantum}) == []
        assert {"area", "platform", "protocol", "measurand"} <= set(kind.quantum)


@pytest.mark.parametrize("name", sorted(BENCHES))
def test_every_preset_bench_has_a_platform_of_the_vocabulary(name):
    platform = BENCHES[name].get("platform", "")
    assert platform in PLATFORMS or platform.startswith("other: ")


def test_the_vocabulary_holds_together():
    assert set(PROTOCOLS.values()) <= set(AREAS)
    for name, measurand in MEASURANDS.items():
        assert stored_unit(measurand.unit) == measurand.unit, name
        assert measurand.uri.startswith("http://qudt.org/vocab/quantitykind/")


def test_a_strange_term_is_named():
    said = faults({
        "domain": "quantum communication", "area": "sensing", "platform": "a box", "protocol": "looking",
        "measurand": "magnetic flux density", "unit": "V",
    })  # fmt: skip
    assert len(said) == 4
    assert any("domain" in line for line in said)
    assert any("has the unit T, not V" in line for line in said)
    assert faults(described({"platform": "other: a box", "protocol": "other: looking"})) == []
