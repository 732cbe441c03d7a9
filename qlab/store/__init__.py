"""The run file: written while a run goes on, finalised at its end, opened, recovered, checked and listed."""

from qlab.store.check import check_file
from qlab.store.index import Library, RunSummary, list_runs
from qlab.store.reader import holds_waves, open_any, open_run
from qlab.store.recover import recover
from qlab.store.sidecar import Sidecar, edit_sidecar, read_sidecar
from qlab.store.trash import restore_run, trash_run, trashed
from qlab.store.writer import RunWriter

__all__ = [
    "Library",
    "RunSummary",
    "RunWriter",
    "Sidecar",
    "check_file",
    "edit_sidecar",
    "holds_waves",
    "list_runs",
    "open_any",
    "open_run",
    "read_sidecar",
    "recover",
    "restore_run",
    "trash_run",
    "trashed",
]
