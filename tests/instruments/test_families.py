"""Every driver of ours passes the conformance suite against the simulated dialogue of its family."""

import pytest

from qlab.conformance import conform
from qlab.registry import load, plugins

FAMILIES = sorted(
    n for n in plugins("instruments") if n.partition(".")[0] not in {"sim", "scpi", "qcodes", "pymeasure"}
)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_conforms(name):
    driver = load("instruments", name)
    with driver.rehearsal() as options:
        checks = list(conform(driver(**options), move=True))
    assert [c for c in checks if not c.ok] == []
    assert {"says who it is", "is made safe", "opens again as the same"} <= {c.name for c in checks}


def test_there_are_enough_of_them():
    assert len(FAMILIES) >= 15
