"""Every protocol in the window: found by its title, run by Ctrl+Return on its own bench, its truth recovered."""

from pathlib import Path

from tests.ui.walks.hand import Hand
from tests.ui.walks.pictures import Album

PACE = 2.0  # s
NAMES = (
    "nv.xy8", "nv.qdyne", "nv.vector", "clock.servo", "ion.ghz", "atom.squeezing", "atom.gravimeter", "atom.rydberg",
    "photon.mach_zehnder", "photon.hom", "transmon.ramsey", "transmon.readout", "metrology.adaptive_phase",
    "metrology.fisher",
)  # fmt: skip
SIGMAS = 4.0  # another seed each time: one value in ten thousand is off by so much


def walk(hand: Hand, album: Album, folder: Path) -> None:
    """Run them one after the other, each as it stands in the form."""
    window = hand.window
    hand.wait("the bench is up", lambda: window.bench.ready)
    for place, name in enumerate(NAMES):
        title = window.bench.entry(name)["title"]
        hand.click(window.experiments.search)
        hand.type(title.replace("–", "-"))  # as a keyboard has it
        hand.key("Return")
        hand.wait(f"the form of {name} is there", lambda name=name: window.form.experiment == name)
        hand.wait("the bench is up", lambda: window.bench.ready, 60)
        hand.wait("it is estimated", lambda: "points" in window.form.estimate.text(), 60)
        before = {page.record.id for page in window.centre.pages()}
        hand.key("Ctrl+Return")
        hand.wait(f"{name} is shown", lambda b=before: {p.record.id for p in window.centre.pages()} - b, 60)
        hand.wait(f"{name} is through", lambda: not window.at_work.busy, 180)
        page = window.centre.current()
        assert page.record.experiment == name
        assert page.record.state == "finished", (name, page.record.reason)
        hand.wait("it is listed", lambda: all(line.path for line in window.runs.model.lines))
        hand.pause(1500)
        album.take(window, f"{place:02d}-{name}")
        check(window.runs.model.lines[0].path)


def check(path: Path) -> None:
    """Hold the file against the truth that it tells."""
    import qlab

    run = qlab.open_run(path)
    fit = run.record.fits[0] if run.record.fits else None
    assert fit is None or fit.success, (run.record.experiment, fit.message)
    found = {f.name: (f.value, f.error) for f in run.record.figures if f.error}
    if fit is not None:
        found |= {name: (fit.values[name], fit.errors[name]) for name in fit.free}
        found["gravity"] = (found["gravity"][0], fit.errors["shift"]) if "gravity" in found else (0.0, 0.0)
    said = {name: true for name, true in run.record.expected.items() if found.get(name, (0, 0))[1]}
    for name, true in said.items():
        value, error = found[name]
        assert abs(value - true) < SIGMAS * error, (run.record.experiment, name, value, true, error)
