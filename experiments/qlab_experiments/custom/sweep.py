"""custom.sweep: any parameter of a system of one's own, swept under a pulse."""

from typing import Annotated

from annotated_types import Ge
from pydantic import Field

from qlab.expression import Number
from qlab.pulses import Play
from qlab.scan import Linear, Scan
from qlab.units import Unit
from qlab_experiments.custom.played import ClickParameters, OnOwnSystem


class SweepParameters(ClickParameters):
    """Settings of a sweep."""

    parameter: str = Field("detuning", title="Parameter", description="A knob of the sample")
    value: Scan[float] = Field(
        Linear(-5e6, 5e6, 101), title="Values", description="In the unit of the parameter"
    )
    duration: Annotated[float, Unit("s"), Ge(0)] = Field(0.5e-6, title="Pulse duration")
    model_name: str = Field("", title="Fit", description="A fit model, or none")


class Sweep(OnOwnSystem[SweepParameters]):
    """A pulse at every value of a parameter: spectra, level crossings, whatever the Hamiltonian holds.

    The parameter is a term of a `UserSystem`; the values are added to its hidden one.
    """

    title = "Parameter sweep (own physics)"

    def __init__(self, parameters: SweepParameters) -> None:
        super().__init__(parameters)
        self.fit_model = parameters.model_name

    def settings(self) -> dict[str, Number]:
        """Sweep the knob."""
        return {f"sample.{self.parameters.parameter}": self.parameters.value.symbol("value")}

    def middle(self) -> Play:
        """One pulse."""
        p = self.parameters
        return Play(p.channel, p.duration, p.rabi_frequency)
