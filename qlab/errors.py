"""The few errors of qlab: each says what happened and what to do."""

from typing import Any


class QlabError(Exception):
    """Something went wrong that a person at the bench can act on.

    `message` is one plain sentence on what happened, `hint` one on what to do.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(QlabError):
    """What was asked for cannot be done as asked: the command line leaves with exit code 2."""

    exit_code = 2


class FileError(UsageError):
    """A file or folder is not what it should be."""


class InstrumentError(QlabError):
    """An instrument did not answer, or not as it should."""


class LostError(InstrumentError):
    """The connection to an instrument broke, or a call to it was cut off; `instrument` is which."""

    def __init__(self, message: str, hint: str = "", instrument: object = None) -> None:
        super().__init__(message, hint)
        self.instrument: Any = instrument
        self.knob = ""  # the one being set: it may stand where it was or where it was to go


class LimitError(UsageError):
    """A value lies outside what an instrument, a bench or a sample allows. Limits refuse, they never clip."""


class RecordingError(QlabError):
    """Measured rows could not be written: the run fails, what was written stays."""
