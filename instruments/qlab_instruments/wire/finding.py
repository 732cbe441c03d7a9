"""Finding instruments: what VISA libraries list, and who answers there."""

import contextlib
import warnings
from collections.abc import Iterable, Iterator

from qlab_instruments.wire.lines import Settings, open_line

PATIENCE = 1.0  # s


def find(addresses: Iterable[str] = (), *, library: str = "", scan: bool = True) -> Iterator[tuple[str, str]]:
    """Yield (address, what it says to *IDN?) of what is listed and of `addresses`; "!" and why where nobody answers.

    Devices on a network are seldom listed: give their addresses. Serial ports are listed and not spoken to, because a
    stranger's device may move at any word.
    """
    given = list(dict.fromkeys(addresses))
    listed = [name for name in _listed(library) if name not in given] if scan else []
    for address in given:
        yield address, _asked(address, library)
    for address in listed:
        yield address, "" if address.upper().startswith("ASRL") else _asked(address, library)


def _listed(library: str) -> list[str]:
    try:
        import pyvisa
    except ModuleNotFoundError:
        return []
    # What a library cannot look for, for want of a package, it says as a warning each time.
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        manager = pyvisa.ResourceManager(library)
        try:
            return [str(name) for name in manager.list_resources()]
        finally:
            manager.close()
    return []


def _asked(address: str, library: str) -> str:
    try:
        line = open_line(address, Settings(library=library, timeout=PATIENCE))
    except Exception as error:  # noqa: BLE001 - a dozen kinds; it is told, and the next address is asked
        return f"! {type(error).__name__}: {error}"
    try:
        line.write("*IDN?")
        return line.read().strip()
    except Exception as error:  # noqa: BLE001 - as above
        return f"! {type(error).__name__}: {error}"
    finally:
        with contextlib.suppress(Exception):
            line.close()
