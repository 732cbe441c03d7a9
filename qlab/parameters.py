"""Parameters: what a person sets for an experiment, with units and limits, as one frozen value."""

import difflib
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from qlab.errors import UsageError
from qlab.scan import Scan
from qlab.units import Unit


class Parameters(BaseModel):
    """The settings of one experiment. The form, the command line's `--set` and the file derive from it.

    A float carries its SI unit (`tau: Seconds`), a sweep is a value (`tau: Scan[Seconds]`), and a field's
    `title` and `description` are what people read beside it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Return parameters from values as typed; raise UsageError with one line on each bad one."""
        known = list(cls.model_fields)
        for name in values:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
                raise UsageError(f"There is no parameter {name!r}.", hint)
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise UsageError("; ".join(problems(error).values()), "") from None

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain JSON data that `read` takes back."""
        return self.model_dump(mode="json")

    @classmethod
    def unit_of(cls, name: str) -> str:
        """Return the SI unit of a field ("1" where it has none)."""
        field = cls.model_fields[name]
        for mark in field.metadata:
            if isinstance(mark, Unit):
                return mark.name
        inner = getattr(field.annotation, "__pydantic_generic_metadata__", None)
        arguments = getattr(field.annotation, "__args__", ()) if inner is None else inner["args"]
        for argument in arguments:
            for mark in getattr(argument, "__metadata__", ()):
                if isinstance(mark, Unit):
                    return mark.name
        return "1"

    def scans(self) -> dict[str, Scan[float]]:
        """Return the fields that are swept, in the order in which they are declared."""
        return {
            name: value for name in type(self).model_fields if isinstance(value := getattr(self, name), Scan)
        }


def problems(error: ValidationError) -> dict[str, str]:
    """Return one plain line for each field that a ValidationError complains about."""
    lines: dict[str, str] = {}
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"]) or "parameters"
        message = str(item["msg"]).removeprefix("Input should be ")
        if item["type"].startswith(("greater", "less")):
            message = f"{item['input']!r} is refused: it must be {message}."
        elif item["type"] not in {"quantity", "scan"}:
            message = f"{item['input']!r} is refused: it should be {message}."
        lines.setdefault(name, f"{name}: {message}")
    return lines
