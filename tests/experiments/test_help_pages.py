"""Help pages: each says what, how, why and what to try, and what it offers to be typed is taken."""

import re
from pathlib import Path

import pytest

import qlab_experiments
from qlab.bench import Bench
from qlab.registry import load, plugins

PAGES = Path(qlab_experiments.__file__).parent / "help"
# NV pages have a test beside them; a physics of one's own has a bench of one's own.
OURS = sorted(
    n for n in plugins("experiments") if n.partition(".")[0] in {"photon", "ion", "atom", "clock", "transmon"}
)
OTHERS = sorted(n for n in plugins("experiments") if n.partition(".")[0] in {"custom", "generic"})


@pytest.mark.parametrize("name", OURS + OTHERS)
def test_a_page_is_whole(name):
    page, kind = (PAGES / f"{name}.md").read_text(encoding="utf-8"), load("experiments", name)
    assert page.startswith("# ")
    for part in ("## Sequence", "## Physics", "## Reference", "## Try"):
        assert part in page, part
    assert not kind.fit or f"`{kind.fit}`" in page


@pytest.mark.parametrize("name", OURS)
def test_what_a_page_offers_is_taken(name):
    kind = load("experiments", name)
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8").partition("## Try")[2]
    bench = kind.preset or "sim-transmon"
    for offered in re.findall(r"`([^`]*=[^`]*)`", page):
        truth = dict(re.findall(r"--truth (\w+)=(\S+)", offered))
        plain = dict(re.findall(r"(\w+)=(\S+)", re.sub(r"--truth \S+", "", offered)))
        Bench.load(bench, seed=1, truth=truth)
        kind.read(plain)
