"""Upkeep: a short experiment interleaved with a long one, so that what drifts is found and followed."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Upkeep(BaseModel):
    """What is done again and again during a run, between two passes or rows, on the same bench.

    `experiment` with its `parameters` is run once `every_points` rows of the run or `every_seconds` (on the
    bench's clock) have passed, and at the start where `at_start` says so. Afterwards every knob is put back to
    where it was. Then, where the fit is believed: `set` sets knobs to fit values ({"stage.z": "centre"}), `track`
    moves knobs by as much as a fit value has moved since the first time ({"microwave.frequency": "frequency"}),
    also under a played program. Every row that it measured stands in a stream of the run, `upkeep_1` for the first
    step, `upkeep_2` for the second, with the `step` it belongs to and the rows of the run before it (`after_row`);
    what it found and moved, in the record (`Record.upkeep`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    experiment: str
    parameters: dict[str, float | bool | str] = Field(default_factory=dict)
    every_points: int | None = Field(None, ge=1)
    every_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)
    at_start: bool = True
    set: dict[str, str] = Field(default_factory=dict)
    track: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _due_at_all(self) -> "Upkeep":
        if self.every_points is None and self.every_seconds is None and not self.at_start:
            raise ValueError("give every_points, every_seconds or at_start")
        return self
