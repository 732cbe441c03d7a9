"""Bringing a folder's entries to the disk."""

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
