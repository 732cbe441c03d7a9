"""Thorlabs MDT693B: a piezo controller on a serial port."""

from qlab.errors import InstrumentError
from qlab.instrument import Knob
from qlab_instruments.messages import MessageInstrument


class MDT693B(MessageInstrument):
    """Three piezo voltages. It ends every answer with a prompt, and says what it did not understand."""

    title = "Thorlabs MDT693B"
    dialogue = "thorlabs.mdt693b"
    vendor = "Thorlabs"
    who = "id?"
    identifies = r"MDT69[34]"
    done = complaint = ""
    speaks = {"terminator": ">", "ending": "\r", "baud": 115200}

    x = Knob("V", get="xvoltage?", set="xvoltage={:.2f}", limits=(0.0, 150.0), safe=0.0, tolerance=0.5)
    y = Knob("V", get="yvoltage?", set="yvoltage={:.2f}", limits=(0.0, 150.0), safe=0.0, tolerance=0.5)
    z = Knob("V", get="zvoltage?", set="zvoltage={:.2f}", limits=(0.0, 150.0), safe=0.0, tolerance=0.5)
    voltage = Knob(
        "V", get="xvoltage?", set="xvoltage={:.2f}", limits=(0.0, 150.0), tolerance=0.5, doc="Of x"
    )

    def open(self) -> None:
        """Connect, and have it echo nothing."""
        super().open()
        self.query("echo=0")
        most = float(self.query("vlimit?"))
        self.model_limits = dict.fromkeys(self.knobs(), (0.0, most))

    def query(self, message: str) -> str:
        """Return what stands between the echo and the prompt, brackets taken off."""
        reply = super().query(message)
        lines = [line.strip() for line in reply.replace("\r", "\n").split("\n") if line.strip()]
        said = " ".join(line for line in lines if line != message).strip("*[] ")
        if "CMD_NOT_DEFINED" in said or said.startswith("!"):
            raise InstrumentError(f"{self.name} did not take {message!r}: {said}.", "Check the driver.")
        return said

    def say(self, command: str) -> None:
        """Send a command and wait for the prompt."""
        self.query(command)

    def identity(self) -> dict[str, str]:
        """Return model and serial number."""
        said = self.query("id?")
        model = next((word for word in said.split() if word.startswith("MDT")), said)
        return {"vendor": self.vendor, "model": model, "serial": self.query("serial?")}
