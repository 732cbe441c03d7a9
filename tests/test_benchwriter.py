"""Bench files written by the program come back as they were; instruments are tried out."""

import socket
import threading

import pytest

from qlab.benchfile import read_bench
from qlab.benchwriter import bench_text, plain, write_bench
from qlab.errors import UsageError
from qlab.registry import plugins
from qlab.trial import drivers, roles, try_out


@pytest.mark.parametrize("preset", sorted(plugins("benches")))
def test_every_preset_comes_back_as_it_was(preset, tmp_path):
    entry = read_bench(preset)
    write_bench(tmp_path / "copy.toml", plain(entry))
    assert read_bench(tmp_path / "copy.toml").model_copy(update={"name": entry.name}) == entry


def test_what_is_odd_in_a_bench_survives_its_file(tmp_path):
    data = {
        "title": 'Quote " back\\slash \t µ \x7f',
        "instruments": {"odd-name": {
            "driver": "sim.laser", "options": {"a key": [1, 2.5, True, "x"], "deep": {"n": -1e-9}},
            "limits": {"power": ["0 W", "1 mW"]}, "safe": {"power": 0.0}}},
        "roles": {"laser": "odd-name"},
        "watch": [{"name": "hot", "readout": "laser.power", "above": 1.0, "action": "pause"}],
    }  # fmt: skip
    import tomllib

    assert tomllib.loads(bench_text(data)) == data


def test_a_bad_bench_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "setup.toml"
    write_bench(path, plain(read_bench("sim-nv")))
    before = path.read_text()
    with pytest.raises(UsageError, match="no instrument"):
        write_bench(path, {"roles": {"laser": "nobody"}})
    assert path.read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["setup.toml"]
    write_bench(path, {"title": "new"})
    assert path.with_name("setup.toml.bak").read_text() == before


def test_every_driver_is_told_and_a_broken_one_says_why(tmp_path, monkeypatch):
    folder = tmp_path / "instruments"
    folder.mkdir()
    (folder / "ours.py").write_text("import nothing_of_that_name\n")
    monkeypatch.setenv("QLAB_PLUGINS", str(tmp_path))
    plugins.cache_clear()
    try:
        cards = {card.name: card for card in drivers()}
    finally:
        plugins.cache_clear()
    assert "nothing_of_that_name" in cards["ours"].problem
    assert not cards["sim.microwave"].problem
    assert {knob.name for knob in cards["sim.microwave"].knobs} >= {"frequency", "power"}
    assert {"player", "microwave", "counter"} <= set(roles())


def test_a_real_device_is_asked_who_it_is_and_a_silent_one_is_told(tmp_path, monkeypatch):
    """A SCPI device on a socket, mixed onto a simulated bench."""
    monkeypatch.setenv("QLAB_RUNTIME", str(tmp_path))
    server = socket.create_server(("127.0.0.1", 0))
    heard = []

    def answer():
        connection, _ = server.accept()
        with connection, connection.makefile("rw", newline="\n") as line:
            for words in line:
                heard.append(words.strip())
                if words.strip().endswith("?"):
                    line.write({"*IDN?": "ACME,Source 1,77,2.0\n"}.get(words.strip(), "0\n"))
                    line.flush()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    address = f"TCPIP::127.0.0.1::{server.getsockname()[1]}::SOCKET"
    knobs = {"frequency": {"unit": "Hz", "get": ":FREQ?", "set": ":FREQ {:.9g}"}}
    data = plain(read_bench("sim-nv"))
    data["instruments"]["source"] = {
        "driver": "scpi.generic",
        "options": {"address": address, "knobs": knobs},
    }
    try:
        told = try_out(data, "source")
        assert told.good, told
        assert "ACME, Source 1, 77" in told.words
        assert "*IDN?" in heard
    finally:
        server.close()
        thread.join(5)
    gone = try_out(data, "source")
    assert not gone.good
    assert gone.words
    assert try_out(data, "microwave").good
