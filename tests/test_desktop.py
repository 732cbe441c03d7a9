"""The desktop entry: by the standard's rules, with an icon that can be drawn, and taken away again."""

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from qlab import desktop
from qlab.errors import UsageError

linux = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="desktop entries are XDG's")


@linux
def test_the_entry_is_one_and_starts_a_qlab_that_is_there(tmp_path):
    written = desktop.install(tmp_path)
    entry = next(path for path in written if path.suffix == ".desktop")
    if tool := shutil.which("desktop-file-validate"):
        assert not subprocess.run([tool, str(entry)], capture_output=True, text=True).stdout
    parser = configparser.RawConfigParser(strict=True, delimiters=("=",))
    parser.optionxform = str
    parser.read(entry, encoding="utf-8")
    said = dict(parser["Desktop Entry"])
    assert said["Type"] == "Application"
    assert said["Terminal"] == "false"
    for key in ("Categories", "Keywords", "MimeType"):
        assert said[key].endswith(";")
    start = shlex.split(said["Exec"])
    assert start[-2:] == ["open", "%F"]
    assert Path(start[0]).exists()
    help_text = subprocess.run([*start[:-1], "--help"], capture_output=True, text=True, timeout=60)
    assert help_text.returncode == 0
    assert "folder of runs" in help_text.stdout


@linux
def test_the_kinds_of_file_are_known_to_the_system_s_own_tool(tmp_path):
    desktop.install(tmp_path)
    kinds = ET.parse(tmp_path / "mime" / "packages" / "qlab.xml").getroot()
    assert [kind.get("type") for kind in kinds] == ["application/x-nexus"]
    if shutil.which("update-mime-database"):
        assert "*.nxs" in (tmp_path / "mime" / "globs2").read_text()


@linux
def test_what_was_installed_is_taken_away(tmp_path):
    written = desktop.install(tmp_path)
    assert all(path.exists() for path in written)
    assert set(desktop.remove(tmp_path)) == set(written)
    assert not any(path.exists() for path in written)
    assert desktop.remove(tmp_path) == []


def test_odd_folders_are_quoted_as_the_standard_asks():
    line = next(
        words for words in desktop.entry(["/my lab/100%/$x/qlab"]).splitlines() if words.startswith("Exec=")
    )
    assert line == 'Exec="/my lab/100%%/\\\\$x/qlab" open %F'


def test_another_system_is_told_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UsageError, match="Windows") as told:
        desktop.install(tmp_path)
    assert "shortcut" in told.value.hint
