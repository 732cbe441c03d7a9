"""An EPICS server with a microwave source: `python ioc.py`, until its standard input ends. `EGU` is its unit."""

import os
import sys

from softioc import alarm, asyncio_dispatcher, builder, softioc


def main():
    dispatcher = asyncio_dispatcher.AsyncioDispatcher()
    builder.SetDeviceName("LAB:MW")
    scale = {"GHz": 1.0, "MHz": 1e3}[os.environ.get("EGU", "GHz")]
    unit, most = os.environ.get("EGU", "GHz"), float(os.environ.get("MOST", "20")) * scale
    read = builder.aIn("FREQ_RBV", EGU=unit, initial_value=scale)
    builder.aOut(
        "FREQ", EGU=unit, DRVL=0.001 * scale, DRVH=most, initial_value=scale, PREC=9, on_update=read.set,
        always_update=True,
    )  # fmt: skip
    builder.aOut("POW", EGU="dBm", DRVL=-120, DRVH=20, initial_value=-30.0)
    builder.boolOut("RF", ZNAM="Muted", ONAM="Radiating", initial_value=0)
    builder.mbbOut("MODE", "CW", "Sweep", "List", initial_value=0)
    builder.aIn("TEMP", EGU="K", initial_value=300.0)
    # An input whose sensor is gone: its value is invalid, and it says so.
    broken = builder.aIn("BROKEN", EGU="V")
    builder.stringIn("IDN", initial_value="Maker,MODEL 1,42,1.0")
    builder.LoadDatabase()
    softioc.iocInit(dispatcher)
    broken.set(0.0, severity=alarm.INVALID_ALARM, alarm=alarm.READ_ALARM)
    print("ready", flush=True)
    sys.stdin.readline()


main()
