"""Help pages: every NV experiment has one that says what, how, why and what to try."""

import pytest

from qlab.pages import page_of
from qlab.registry import load, plugins

NV = sorted(name for name in plugins("experiments") if name.startswith("nv."))


@pytest.mark.parametrize("name", NV)
def test_every_nv_experiment_has_a_whole_page(name):
    kind = load("experiments", name)
    page = page_of(name).text
    assert page.startswith("# ")
    for part in ("## Sequence", "## Physics", "## Reference", "## Try"):
        assert part in page, part
    fit = kind.fit
    assert not fit or f"`{fit}`" in page
    # What is offered to be typed is there to be typed.
    fields = kind.parameters_type().model_fields
    for word in page.replace("`", " ").split("--set ")[1:]:
        assert word.split("=")[0] in fields, word
