"""Places: which folders are on a network, and where an open file stands now."""

import os
import sys
from pathlib import Path

_NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs", "lustre", "beegfs", "gpfs",
    "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.davfs", "davfs", "fuse.gvfsd-fuse", "webdav",
    "afpfs", "orangefs", "fuse.ceph", "fuse.onedriver",
}  # fmt: skip
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


def on_network(folder: Path) -> bool:
    """Tell whether a folder lies on a network file system (`QLAB_NETWORK_FOLDERS` names further ones)."""
    folder = folder.resolve()
    named = [Path(item) for item in os.environ.get("QLAB_NETWORK_FOLDERS", "").split(os.pathsep) if item]
    if any(folder.is_relative_to(item.resolve()) for item in named):
        return True
    if sys.platform == "win32":
        import ctypes

        drive = folder.drive + "\\"
        return drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(drive) == 4
    return _file_system(folder) in _NETWORK


def _file_system(folder: Path) -> str:
    """Return the type of the file system with the longest mount point above a folder; empty where unknown."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        words = line.split(" ")
        if len(words) < 3:
            continue
        point = words[1]
        for code, character in _ESCAPES.items():
            point = point.replace(code, character)
        if folder.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), words[2]
    return kind


def mount_point(folder: Path) -> Path:
    """Return where the drive that a folder lies on is attached."""
    folder = folder.absolute()
    while folder != folder.parent and not os.path.ismount(folder):
        folder = folder.parent
    return folder


def current_path(descriptor: int, fallback: Path) -> Path | None:
    """Return where an open file stands now, also after its folder was renamed; None where it is nowhere."""
    for path in (fallback, _asked(descriptor)):
        try:
            if path is not None and os.path.samestat(path.stat(), os.fstat(descriptor)):
                return path
        except OSError:
            continue
    return None


def _asked(descriptor: int) -> Path | None:
    try:
        if sys.platform.startswith("linux"):
            return Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - no file system's link
        if sys.platform == "darwin":
            import fcntl

            return Path(os.fsdecode(fcntl.fcntl(descriptor, 50, b"\0" * 1024).rstrip(b"\0")))  # F_GETPATH
    except OSError:
        return None
    return None
