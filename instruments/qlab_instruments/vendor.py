"""Makers' own Python packages, imported when an instrument is opened; what they raise becomes our errors."""

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

from qlab.errors import InstrumentError, QlabError, UsageError


def package(name: str, install: str) -> Any:
    """Return a maker's package; raise UsageError saying how to get it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise UsageError(f"The package {name} is not installed.", install) from None
    except Exception as error:
        raise UsageError(
            f"The package {name} does not work here ({type(error).__name__}: {error}).", install
        ) from error


@contextlib.contextmanager
def translated(instrument: Any) -> Iterator[None]:
    """Make one error of whatever a maker's package raises."""
    try:
        yield
    except QlabError:
        raise
    except Exception as error:
        raise InstrumentError(
            f"{instrument.name}: {type(error).__name__}: {' '.join(str(error).split())[:300]}.",
            "Check the device, its cable and the maker's driver.",
        ) from error
