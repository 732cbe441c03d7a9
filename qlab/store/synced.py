"""What is done to a folder where it can be done: its entries brought to the disk, a worthless file removed."""

import contextlib
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def discard(path: Path) -> None:
    """Remove a file that nobody needs any more; where its drive is gone or read-only, it stays."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
