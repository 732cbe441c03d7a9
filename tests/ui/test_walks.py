"""The first five minutes of student, scientist and analyst, with mouse and keys; their pictures beside the golden ones.

Golden are the plan of the window (where each bar and pane stands) and the picture of each step as the documentation
shows it: half as wide. They are compared at an eighth of the window's width. Numbers, noise and fonts
differ from run to run and machine to machine: shades may differ by what text and points make there, places by a few
hundredths. `QLAB_GOLDEN=write` keeps what is seen as golden.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

ROOT = Path(__file__).parent.parent.parent
GOLDEN = Path(__file__).parent / "golden"
WHO = ("student", "scientist", "analyst")
SMALL = (180, 112)  # dots
KEPT = (720, 450)
PLACES = 40  # thousandths of the window
SHADES = 4.0  # of 255, in the mean over the picture
SPOT = 0.009  # of the picture may differ by more than 64 of 255


def walked(who, theme, scale, platform, folder, seconds=240):
    """Walk in a process of its own, as the program is started, and return the pictures and plans it left."""
    environment = {
        **os.environ, "QT_QPA_PLATFORM": platform, "QT_SCALE_FACTOR": str(scale),
        "PYTHONPATH": os.pathsep.join([".", "ui", *filter(None, [os.environ.get("PYTHONPATH")])]),
    }  # fmt: skip
    line = [sys.executable, "-m", "tests.ui.walks", who, "--theme", theme, "--out", str(folder)]
    if platform == "xcb":
        line = ["xvfb-run", "-a", "-s", "-screen 0 3200x2000x24", *line]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=seconds)
    assert done.returncode == 0, done.stderr
    left = sorted(folder.glob("*.png"))
    assert left
    return left


def scaled(image, size):
    return image.scaled(
        *size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def compare(picture):
    """Compare a picture and its plan with the golden ones; return what differs."""
    name = picture.stem
    whole = QImage(str(picture))
    plan = json.loads(picture.with_suffix(".json").read_text(encoding="utf-8"))
    if os.environ.get("QLAB_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        scaled(whole, KEPT).convertToFormat(QImage.Format.Format_RGB32).save(
            str(GOLDEN / picture.name), quality=0
        )
        shutil.copy(picture.with_suffix(".json"), GOLDEN)
        return []
    if not (GOLDEN / picture.name).exists():
        return [f"{name}: there is no golden picture; QLAB_GOLDEN=write keeps this one"]
    seen, known = (
        scaled(image, SMALL).convertToFormat(QImage.Format.Format_Grayscale8)
        for image in (whole, QImage(str(GOLDEN / picture.name)).convertToFormat(QImage.Format.Format_RGB32))
    )
    told = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    wrong = [f"{name}: {part} is seen in one only" for part in set(plan) ^ set(told)]
    for part in set(plan) & set(told):
        off = max(abs(a - b) for a, b in zip(plan[part], told[part], strict=True))
        if off > PLACES:
            wrong.append(f"{name}: {part} stands at {plan[part]}, not {told[part]}")
    differ = [
        abs((seen.pixel(x, y) & 255) - (known.pixel(x, y) & 255))
        for x in range(SMALL[0])
        for y in range(SMALL[1])
    ]
    mean, spots = sum(differ) / len(differ), sum(d > 64 for d in differ) / len(differ)
    if mean > SHADES or spots > SPOT:
        wrong.append(f"{name}: shades differ by {mean:.1f} in the mean, {spots:.0%} by much")
    return wrong


def walk_and_compare(who, theme, scale, platform, folder):
    wrong = [line for picture in walked(who, theme, scale, platform, folder) for line in compare(picture)]
    assert not wrong, "\n".join(wrong)


def test_the_student_can_do_it(tmp_path):
    """Pictures are compared at night only: the fonts of a machine are no reason to refuse a change."""
    assert len(walked("student", "light", 1, "offscreen", tmp_path)) > 3


@pytest.mark.nightly
@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("who", WHO)
def test_everybody_can_do_it_in_every_look(who, theme, scale, tmp_path):
    walk_and_compare(who, theme, scale, "offscreen", tmp_path)


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="There is no Xvfb here: apt-get install xvfb")
@pytest.mark.parametrize("who", WHO)
def test_everybody_can_do_it_under_x(who, tmp_path):
    walk_and_compare(who, "light", 1, "xcb", tmp_path)


def test_another_picture_is_not_taken_for_the_golden_one(tmp_path):
    """The tolerance is not so wide that a dialog, a missing pane or the other theme pass."""
    if os.environ.get("QLAB_GOLDEN") == "write":
        pytest.skip("Golden pictures are being made.")
    for name, as_if in (
        ("scientist-light-1-1-bench", "student-light-1-0-welcome"),
        ("student-light-1-5-echo", "student-light-1-0-welcome"),
    ):
        shutil.copy(GOLDEN / f"{name}.png", tmp_path / f"{as_if}.png")
        shutil.copy(GOLDEN / f"{name}.json", tmp_path / f"{as_if}.json")
        assert compare(tmp_path / f"{as_if}.png"), name


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_actions_at_random_leave_nothing_unsafe(seed, tmp_path, monkeypatch):
    """A monkey at the real program: nothing raises, every run ended with every instrument safe."""
    monkeypatch.setenv("QLAB_SEED", str(seed))
    assert walked("monkey", "light", 1, "offscreen", tmp_path, 600)


def test_some_actions_at_random_leave_nothing_unsafe(tmp_path, monkeypatch):
    monkeypatch.setenv("QLAB_MONKEY", "150")
    assert walked("monkey", "light", 1, "offscreen", tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_every_protocol_runs_in_the_window_and_recovers_its_truth(tmp_path):
    assert len(walked("protocols", "dark", 1, "offscreen", tmp_path, 600)) == 14
