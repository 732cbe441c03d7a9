"""Other people's validators, run inside their own environment: `python gates.py FOLDER` prints what they object to.

Run by test_validators.py in the environment of `make validators`; imports nothing of qlab. FOLDER holds run files
(*.h5), crates (folders) and DataCite pairs (*.datacite.json, *.datacite.xml). The last line is a JSON list of faults.
"""

import importlib.util
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import h5py
import numpy as np


def bin_folder():
    return Path(sys.executable).parent


def pynx(path):
    said = subprocess.run(
        [bin_folder() / "pynx", "validate", "--ignore-undocumented", path],
        capture_output=True,
        text=True,
        timeout=300,
    )
    text = said.stdout + said.stderr
    good = (
        "is valid according to the `NXsensor_scan` application definition" in text and "WARNING" not in text
    )
    if said.returncode or not good:
        yield f"pynx: {path.name}: {text.strip()[-1500:]}"


def nxcheck(path):
    for options in (["-e"], ["-a", "-e"]):
        said = subprocess.run(
            [bin_folder() / "nxcheck", *options, path], capture_output=True, text=True, timeout=300
        )
        if said.returncode or "Total number of errors: 0" not in said.stdout:
            yield f"nxcheck {' '.join(options)}: {path.name}: {(said.stdout + said.stderr).strip()[-1500:]}"


def units(path):
    """Both parsers must take every unit, and to the same size and dimension."""
    import cf_units
    from ucumvert import PintUcumRegistry

    ucum = PintUcumRegistry()
    found = {}

    def collect(name, item):
        unit = item.attrs.get("units")
        if isinstance(item, h5py.Dataset) and unit is not None:
            found.setdefault(str(unit), name)

    with h5py.File(path) as file:
        file.visititems(collect)
    for unit, name in found.items():
        if unit.startswith("seconds since "):
            if not cf_units.Unit(unit, calendar="proleptic_gregorian").is_time_reference():
                yield f"cf-units: {path.name}: {name}: {unit!r} is no time"
            continue
        try:
            udunits = cf_units.Unit(unit)
            quantity = ucum.from_ucum(unit)
        except Exception as error:
            yield f"units: {path.name}: {name}: {unit!r}: {error}"
            continue
        base = quantity.to_base_units()
        si = (
            "1"
            if base.dimensionless
            else ".".join(f"{_symbol(symbol)}{int(power)}" for symbol, power in base.unit_items())
        )
        try:
            size = udunits.convert(1.0, cf_units.Unit(si))
        except ValueError as error:
            yield f"units: {path.name}: {name}: {unit!r} is {base} to UCUM, another dimension to UDUNITS: {error}"
            continue
        if not np.isclose(size, base.magnitude, rtol=1e-12):
            yield f"units: {path.name}: {name}: {unit!r} is {size} {si} to UDUNITS and {base} to UCUM"


def _symbol(name):
    known = {"meter": "m", "second": "s", "kilogram": "kg", "ampere": "A", "kelvin": "K", "mole": "mol",
             "candela": "cd", "radian": "rad", "gram": "g"}  # fmt: skip
    return known[name]


def contexts_from_disk():
    """Answer every request for an RO-Crate context with the one that `rocrate` carries: no network is asked."""
    import rocrate_validator.utils.http as http

    folder = Path(importlib.util.find_spec("rocrate").origin).parent
    text = (folder / "data" / "ro-crate.jsonld").read_text(encoding="utf-8")

    class Answer:
        status_code, ok, from_cache, reason, url = 200, True, True, "OK", ""
        headers = {"Content-Type": "application/ld+json"}

        def __init__(self):
            self.text, self.content = text, text.encode()

        def json(self):
            return json.loads(text)

        def raise_for_status(self):
            pass

    original = http.HttpRequester.__getattr__

    def answered(self, name):
        if name in {"get", "head"}:

            def ask(url, *arguments, **options):
                if not str(url).startswith("https://w3id.org/ro/crate/"):
                    raise OSError(f"{url} is not on the disk")
                return Answer()

            return ask
        return original(self, name)

    http.HttpRequester.__getattr__ = answered


def rocrate(path):
    from rocrate.rocrate import ROCrate
    from rocrate_validator import models, services

    crate = ROCrate(str(path))
    if not crate.name or (not crate.mainEntity and not list(crate.data_entities)):
        yield f"rocrate: {path.name}: nothing can be read"
    text = (path / "ro-crate-metadata.json").read_text(encoding="utf-8")
    profiles = ["process-run-crate", "ro-crate-1.1"] if "crate/1.1" in text else ["ro-crate-1.3"]
    for profile in profiles:
        settings = services.ValidationSettings(
            rocrate_uri=str(path), profile_identifier=profile, requirement_severity=models.Severity.REQUIRED,
            abort_on_first=False,
        )  # fmt: skip
        result = services.validate(settings)
        for issue in result.get_issues():
            yield f"roc-validator {profile}: {path.name}: {issue.check.identifier}: {issue.message}"


def datacite(path):
    from datacite import schema45

    data = json.loads(path.read_text(encoding="utf-8"))
    try:
        schema45.validator.validate(data)
    except Exception as error:
        yield f"datacite JSON: {path.name}: {error}"
        return
    # Their own writer is the reference for ours: the same elements, texts and attributes, whatever their order.
    theirs = ET.fromstring(schema45.tostring({**data, "doi": "10.1234/x"}))
    ours = ET.fromstring(path.with_suffix(".xml").read_text(encoding="utf-8"))
    difference = set(_leaves(theirs)) ^ set(_leaves(ours))
    different = [leaf for leaf in difference if not leaf[0].endswith("identifier") or "alternate" in leaf[0]]
    if different:
        yield f"datacite XML: {path.name}: {sorted(different)[:6]}"


def _leaves(element, path=""):
    for child in element:
        here = f"{path}/{child.tag.rpartition('}')[2]}"
        attributes = tuple(sorted((k, v) for k, v in child.attrib.items() if not k.endswith("lang")))
        yield here, (child.text or "").strip(), attributes
        yield from _leaves(child, here)


def main():
    folder = Path(sys.argv[1])
    contexts_from_disk()
    faults = []
    for path in sorted(folder.glob("*.h5")):
        for gate in (pynx, nxcheck, units):
            faults += gate(path)
    for path in sorted(folder.glob("*.crate*")):
        faults += rocrate(path)
    for path in sorted(folder.glob("*.datacite.json")):
        faults += datacite(path)
    print(json.dumps(faults))


if __name__ == "__main__":
    main()
