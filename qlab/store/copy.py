"""A finished file written anew with another record: the same rows, nothing else of the old bytes."""

from pathlib import Path

from qlab.errors import FileError
from qlab.record import ENDED, Record
from qlab.store.final import write_final
from qlab.store.names import is_part
from qlab.store.opening import opened
from qlab.store.rows import stored_rows, stored_streams


def rewritten(source: Path, target: Path, record: Record) -> Path:
    """Write the rows and streams of a finished file below another record and return `target`.

    Nothing is copied but those, so that whatever the old record said is nowhere in the new file. Raises FileError
    for a run that has not ended, or where both are the same file.
    """
    if is_part(source) or record.state not in ENDED:
        raise FileError("The run has not ended.", "Wait for its end, or run `qlab recover`.")
    if target.resolve() == source.resolve():
        raise FileError("That would replace the run itself.", "Give another name.")
    with opened(source) as file:
        write_final(target, record, stored_rows(file, record), stored_streams(file, record))
    return target
