"""Exports for publication, read back and judged by other people's libraries."""

import csv
import hashlib
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from html.parser import HTMLParser

import numpy as np
import pytest

import qlab
from qlab import profile
from qlab.errors import FileError, UsageError
from qlab.export.make import make
from qlab.record import Axis, Column, Record, Stream
from qlab.store import RunWriter, check_file, edit_sidecar
from tests.export.kernel import PLACE, objections

PROFILE = {
    "name": "Curieux, Marguerite", "orcid": "0000-0002-1825-0097", "affiliation": "Institute",
    "ror": "04wxnsj81", "publisher": "Zenodo", "license": "CC-BY-4.0", "embargo": "2031-06-30",
    "funding.funder": "European Commission", "funding.funder_id": "10.13039/501100000780",
    "funding.number": "101012345", "related.identifier": "10.1103/PhysRevLett.118.197201",
    "related.relation": "IsSupplementTo",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QLAB_CONFIG", str(folder / "config"))
        patch.setenv("QLAB_RUNTIME", str(folder))
        patch.setenv("PYTHONPATH", ":".join(p for p in sys.path if p))
        made = profile.load()
        for key, value in PROFILE.items():
            made = profile.changed(made, key, value)
        profile.save(made)
        run = qlab.run(
            "nv.ramsey", qlab.Bench.load("sim-nv", seed=1), out=folder / "runs", tau="0us:3us:61", shots=20000
        )
        # A terminal leaves such characters in what is copied from it; XML cannot carry them.
        edit_sidecar(run.path, notes="helium was low", tags=["cold", "a\x01b"], add_fit=run.fit())
    return run


@pytest.fixture(scope="module")
def zenodo(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zenodo")
    made = make(run.path, folder / "run.zip", "zenodo")
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        archive.extractall(folder / "run")
    return folder / "run"


@pytest.fixture
def arrays(tmp_path):
    """A finished run with per-shot arrays and a complex column."""
    record = Record(
        id="5a2f0e08-521e-419b-9bc0-008c7af6423e", experiment="lab.iq", title="IQ shots", parameters={},
        columns=(
            Column(name="x", unit="s", role="setpoint", long_name="time"),
            Column(name="iq", unit="V", dtype="c16", dims=("shot",), shape=(3,)),
            Column(name="counts", dtype="u4", dims=("shot", "bin"), shape=(3, 2)),
        ),
        axes=(Axis(name="x", unit="s", values=(0.0, 1.0)),), signals=(), state="running",
        streams=(Stream(name="tags", columns=(Column(name="at", unit="s", long_name="arrival"),)),),
        started="2026-11-22T20:00:00+00:00",
    )  # fmt: skip
    random = np.random.default_rng(1)
    rows = {
        "x": np.array([0.0, 1.0]), "iq": random.normal(size=(2, 3)) + 1j * random.normal(size=(2, 3)),
        "counts": random.poisson(5, (2, 3, 2)).astype("u4"),
    }  # fmt: skip
    writer = RunWriter.create(tmp_path / "arrays", record)
    writer.write(rows)
    writer.write_stream("tags", {"at": np.array([1e-9, 2e-9, 5e-9])})
    end = {"state": "finished", "ended": "2026-11-22T20:01:00+00:00"}
    return writer.finish(record.model_copy(update=end)), rows


def test_datacite_json_is_valid_and_says_the_same_as_their_own_xml(run, tmp_path):
    schema = pytest.importorskip("datacite.schema45")
    data = json.loads(make(run.path, tmp_path / "d.json", "datacite").read_text())
    schema.validator.validate(data)
    assert data["creators"][0]["nameIdentifiers"][0]["nameIdentifier"].endswith("0000-0002-1825-0097")
    assert data["fundingReferences"][0]["awardNumber"] == "101012345"
    assert {"date": "2031-06-30", "dateType": "Available"} in data["dates"]
    assert {"cold", "a\ufffdb"} <= {item["subject"] for item in data["subjects"]}
    assert data["publicationYear"] == "2031"  # DataCite: the year in which an embargo ends
    ours = ET.fromstring(make(run.path, tmp_path / "d.xml", "datacite").read_text())
    theirs = ET.fromstring(schema.tostring(data))
    assert set(leaves(theirs)) <= set(leaves(ours))
    only_ours = {leaf[0] for leaf in set(leaves(ours)) - set(leaves(theirs))}
    assert only_ours == {"/identifier"}  # the DOI, which is still to come


def test_datacite_xml_keeps_the_rules_of_its_schema(run, arrays, tmp_path):
    path, _ = arrays
    for which in (run.path, path):  # with a whole profile, and with none
        tree = ET.fromstring(make(which, tmp_path / f"{which.stem}.xml", "datacite").read_text())
        assert list(objections(tree)) == []
    tree = ET.fromstring((tmp_path / f"{run.path.stem}.xml").read_text())
    used = {element.tag.removeprefix(PLACE) for element in tree.iter()}
    assert {"nameIdentifier", "affiliation", "relatedIdentifier", "awardNumber", "rights"} <= used


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda t: t.remove(t.find(f"{PLACE}titles")), "0 of titles"),
        (lambda t: t.append(t.find(f"{PLACE}version")), "2 of version"),
        (lambda t: t.find(f"{PLACE}publicationYear").__setattr__("text", "31"), "text '31'"),
        (lambda t: t.find(f".//{PLACE}date").attrib.pop("dateType"), "lacks dateType"),
        (lambda t: t.find(f".//{PLACE}rights").set("rightsUri", "x"), "no attribute rightsUri"),
        (lambda t: t.find(f".//{PLACE}creator").append(ET.Element(f"{PLACE}givenName")), "in this order"),
        (lambda t: ET.SubElement(t, f"{PLACE}funding"), "no such element"),
        (lambda t: t.find(f".//{PLACE}nameIdentifier").set("schemeURI", "a b"), "is no URI"),
        (lambda t: t.find(f".//{PLACE}funderName").__setattr__("text", None), "text ''"),
    ],
)
def test_what_breaks_the_schema_is_seen(run, tmp_path, wrong, said):
    tree = ET.fromstring(make(run.path, tmp_path / "d.xml", "datacite").read_text())
    wrong(tree)
    assert any(said in line for line in objections(tree))


def leaves(element, path=""):
    for child in element:
        here = f"{path}/{child.tag.rpartition('}')[2]}"
        yield here, (child.text or "").strip(), tuple(sorted(child.attrib.items()))
        yield from leaves(child, here)


@pytest.mark.parametrize(("to", "version"), [("ro-crate", "1.1"), ("ro-crate-1.3", "1.3")])
def test_a_crate_is_read_by_rocrate(run, tmp_path, to, version):
    rocrate = pytest.importorskip("rocrate.rocrate")
    folder = make(run.path, tmp_path / "crate", to)
    crate = rocrate.ROCrate(str(folder))
    assert crate.name == run.record.title
    assert crate.root_dataset["license"].id.endswith("CC-BY-4.0")
    assert crate.metadata["conformsTo"] is not None
    assert f"crate/{version}" in (folder / "ro-crate-metadata.json").read_text()
    (action,) = (e for e in crate.contextual_entities if e.type == "CreateAction")
    assert action["agent"].id == "https://orcid.org/0000-0002-1825-0097"
    assert action["instrument"]["name"] == "qlab"
    (data,) = crate.data_entities
    raw = (folder / data.id).read_bytes()
    assert data["sha256"] == hashlib.sha256(raw).hexdigest()
    assert int(data["contentSize"]) == len(raw)
    # Every link leads to an entity of the crate, or out into the web.
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    known = {item["@id"] for item in graph}
    assert {link for link in links(graph) if not link.startswith(("http", "urn:"))} <= known
    with pytest.raises(FileError, match="there already"):
        make(run.path, folder, to)


def links(value):
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for item in value.values():
            yield from links(item)
    elif isinstance(value, list):
        for item in value:
            yield from links(item)


def test_parquet_reads_back_equal_with_units(run, tmp_path):
    pandas, pq = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    path = make(run.path, tmp_path / "run.parquet", "parquet")
    table = pandas.read_parquet(path)
    for column in run.record.columns:
        np.testing.assert_array_equal(table[column.name], run[column.name])
    schema = pq.read_schema(path)
    assert schema.field("tau").metadata[b"units"] == b"s"
    assert schema.field("tau").metadata[b"units_uri"] == b"http://qudt.org/vocab/unit/SEC"
    assert schema.metadata[b"license"].endswith(b"CC-BY-4.0")
    assert json.loads(schema.metadata[b"ro-crate"])["@graph"]


def test_parquet_keeps_arrays_and_complex_numbers(arrays, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    path, rows = arrays
    table = pq.read_table(make(path, tmp_path / "a.parquet", "parquet"))
    np.testing.assert_array_equal(np.array(table["counts"].to_pylist()), rows["counts"])
    iq = np.array(table["iq_real"].to_pylist()) + 1j * np.array(table["iq_imag"].to_pylist())
    np.testing.assert_array_equal(iq, rows["iq"])
    tags = pq.read_table(tmp_path / "a.tags.parquet")
    assert tags["at"].to_pylist() == [1e-9, 2e-9, 5e-9]
    assert tags.schema.field("at").metadata[b"units"] == b"s"


def test_a_redacted_copy_keeps_streams_and_arrays(arrays, tmp_path):
    path, rows = arrays
    copy = qlab.open_run(make(path, tmp_path / "copy.h5", redacted=True))
    np.testing.assert_array_equal(copy["iq"], rows["iq"])
    assert copy.streams["tags"].column("at").tolist() == [1e-9, 2e-9, 5e-9]
    assert check_file(copy.path) == []


def test_netcdf4_reads_the_netcdf_back_equal(run, tmp_path):
    netCDF4 = pytest.importorskip("netCDF4")
    with netCDF4.Dataset(make(run.path, tmp_path / "run.nc", "netcdf")) as file:
        np.testing.assert_array_equal(file["fluorescence"][:], run.grid().value)
        assert file["tau"].units == "s"
        assert file.license.endswith("CC-BY-4.0")
        assert file.rights == "embargoed"


def test_the_zip_for_zenodo_is_whole(run, zenodo):
    names = {path.name for path in zenodo.iterdir()}
    assert names == {
        run.path.name, "README.md", "data.csv", "datacite.json", "datacite.xml", "report.html",
        "ro-crate-metadata.json", "zenodo.json",
    }  # fmt: skip
    graph = json.loads((zenodo / "ro-crate-metadata.json").read_text())["@graph"]
    listed = {item["@id"]: item for item in graph if item["@type"] == "File"}
    assert set(listed) == names - {"ro-crate-metadata.json"}
    for name, item in listed.items():
        assert item["sha256"] == hashlib.sha256((zenodo / name).read_bytes()).hexdigest()
    told = json.loads((zenodo / "zenodo.json").read_text())["metadata"]
    assert (told["access_right"], told["embargo_date"], told["license"]) == (
        "embargoed",
        "2031-06-30",
        "cc-by-4.0",
    )
    assert told["creators"] == [
        {"name": "Curieux, Marguerite", "affiliation": "Institute", "orcid": "0000-0002-1825-0097"}
    ]
    assert {"identifier": "10.1103/PhysRevLett.118.197201", "relation": "isSupplementTo"} in told[
        "related_identifiers"
    ]


def test_the_sidecar_is_merged_into_what_is_exported(run, zenodo):
    merged = qlab.open_run(zenodo / run.path.name)
    assert (merged.record.notes, merged.record.tags) == ("helium was low", ("cold", "a\x01b"))
    assert len(merged.record.fits) == len(run.record.fits) + (run.fit() not in run.record.fits)
    assert "helium was low" in (zenodo / "report.html").read_text()
    np.testing.assert_array_equal(merged["counts"], run["counts"])
    assert qlab.open_run(run.path).record.notes == ""  # the run itself is as it was


def test_without_a_sidecar_the_file_travels_byte_for_byte(arrays, tmp_path):
    path, _ = arrays
    folder = make(path, tmp_path / "crate", "ro-crate")
    assert (folder / path.name).read_bytes() == path.read_bytes()


def test_the_same_run_gives_the_same_zip(arrays, tmp_path):
    path, _ = arrays
    first, second = (make(path, tmp_path / f"{n}.zip", "ro-crate").read_bytes() for n in "ab")
    assert first == second


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data):
        self.text.append(data)


def test_the_report_is_one_page_that_needs_nothing_else(zenodo, run):
    page = Page()
    page.feed((zenodo / "report.html").read_text())
    assert page.tags.count("svg") == len(run.record.signals)
    assert "script" not in page.tags
    assert all(link.startswith("data:") for link in page.links)
    text = " ".join(page.text)
    for part in (
        "SIMULATED",
        run.id,
        "FsF-R1.1-01M",
        "T2*",
        "sensitivity",
        "laser",
        "25 ns",
        "reduced chi-squared",
    ):
        assert part in text, part
    value = next(p for p in run.record.fits[0].parameters if p.name == "T2_star")
    assert f"{value.value * 1e6:.1f}"[:3] in text


def test_text_of_people_cannot_become_markup(arrays, tmp_path):
    path, _ = arrays
    edit_sidecar(path, notes="<script>alert(1)</script>", tags=["<b>"])
    page = Page()
    page.feed(make(path, tmp_path / "r.html", "report").read_text())
    assert "script" not in page.tags
    assert "<script>" in "".join(page.text)


def test_a_drawing_puts_points_where_they_belong(run):
    """The circles of the SVG, read back through its ticks, are the data."""
    from qlab.export.drawing import figure

    root = ET.fromstring(figure(run))
    svg = "{http://www.w3.org/2000/svg}"
    across = [
        t for t in root.iter(f"{svg}text") if t.get("text-anchor") == "middle" and t.get("transform") is None
    ]
    ticks = [(float(t.get("x")), float(t.text)) for t in across if t.text.replace(".", "").isdigit()]
    slope = (ticks[-1][1] - ticks[0][1]) / (ticks[-1][0] - ticks[0][0])
    x = [ticks[0][1] + slope * (float(c.get("cx")) - ticks[0][0]) for c in root.iter(f"{svg}circle")]
    np.testing.assert_allclose(np.array(x) * 1e-6, run.grid().axes[0][1], atol=2e-9)
    heights = np.array([float(c.get("cy")) for c in root.iter(f"{svg}circle")])
    assert np.corrcoef(heights, run.grid().value)[0, 1] < -0.9999
    assert len(list(root.iter(f"{svg}polyline"))) == 1


def test_figures_carry_caption_and_run_id(run, tmp_path):
    # In a process of its own: an export has to make its own Qt application.
    code = (
        "import sys; from pathlib import Path; from qlab.export.make import make\n"
        "for ending in ('png', 'svg', 'pdf'): make(Path(sys.argv[1]), Path(sys.argv[2]) / f'run.{ending}', 'figure')"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(run.path), str(tmp_path)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    for ending, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        data = (tmp_path / f"run.{ending}").read_bytes()
        assert data.startswith(start)
        # A text chunk of the PNG, text of the SVG, the document information of the PDF.
        assert run.id.encode() in data or run.id.encode("utf-16-be") in data, ending
    text = " ".join(ET.fromstring((tmp_path / "run.svg").read_bytes()).itertext())
    assert "fit of" in text
    assert "Run" in text


def test_a_figure_of_another_kind_is_refused(run, tmp_path):
    from qlab_ui.figure import write_figure

    with pytest.raises(UsageError, match=r"\.png, \.svg, \.pdf"):
        write_figure(run, tmp_path / "run.gif")


def test_the_csv_header_tells_rights_funding_and_the_later_fit(run, tmp_path):
    text = make(run.path, tmp_path / "run.csv", "csv").read_text().splitlines()
    header = [line for line in text if line.startswith("# ")]
    assert any(line.startswith("# license = https://spdx.org/licenses/CC-BY-4.0") for line in header)
    assert any("101012345" in line for line in header)
    assert any(line.startswith("# fit damped_cosine_triplet: T2_star = ") for line in header)
    rows = list(csv.DictReader(line for line in text if not line.startswith("# ")))
    assert np.array_equal([float(r["fluorescence (1)"]) for r in rows], run.grid().value)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_picture_that_cannot_be_written_is_said_and_leaves_nothing(run, tmp_path, ending):
    from qlab_ui.figure import write_figure

    nowhere = tmp_path / "none" / f"run.{ending}"
    with pytest.raises(FileError, match="cannot be written"):
        write_figure(run, nowhere)
    assert list(tmp_path.iterdir()) == []
    write_figure(run, tmp_path / f"run.{ending}")
    assert [path.name for path in tmp_path.iterdir()] == [f"run.{ending}"]
