"""Help pages: every NV experiment has one that says what, how, why and what to try; others show their docstring."""

import inspect

import pytest

from qlab.experiment import Experiment
from qlab.registry import load, plugins

NV = sorted(name for name in plugins("experiments") if name.startswith("nv."))


@pytest.mark.parametrize("name", NV)
def test_every_nv_experiment_has_a_whole_page(name):
    kind = load("experiments", name)
    page = kind.help_page(name)
    assert page.startswith("# ")
    for part in ("## Sequence", "## Physics", "## Reference", "## Try"):
        assert part in page, part
    fit = kind.fit
    assert not fit or f"`{fit}`" in page
    # What is offered to be typed is there to be typed.
    fields = kind.parameters_type().model_fields
    for word in page.replace("`", " ").split("--set ")[1:]:
        assert word.split("=")[0] in fields, word


def test_a_page_is_looked_for_where_the_experiment_comes_from():
    class Own(Experiment):
        """One line.

        And more.
        """

    assert Own.help_page("own.thing") == inspect.cleandoc(Own.__doc__)
