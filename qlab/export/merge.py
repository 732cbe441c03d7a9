"""Merging a run with its sidecar: notes, tags and later fits become part of what is exported."""

from qlab.runs import Run
from qlab.store import Sidecar, read_sidecar


def merged(run: Run) -> Run:
    """Return the run with its notes, tags, star and later fits; raises FileError where the sidecar is damaged."""
    if run.path is None:
        return run
    said = read_sidecar(run.path)
    if said == Sidecar():
        return run
    record = run.record
    later = tuple(fit for fit in said.fits if fit not in record.fits)
    change = {
        "notes": said.notes or record.notes,
        "tags": tuple(dict.fromkeys((*record.tags, *said.tags))),
        "star": said.star or record.star,
        "fits": (*record.fits, *later),
    }
    return Run(record.model_copy(update=change), run.rows, run.path)
