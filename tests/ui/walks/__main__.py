"""`python -m tests.ui.walks student --theme dark --out FOLDER`: one walk through the real program, as it is started."""

import argparse
import importlib
import itertools
import os
import sys
import tempfile
import traceback
from pathlib import Path

FIRST_MINUTES = ("student", "scientist", "analyst")  # whose pictures are compared


def deal(session):
    """Give the runs of a session the same seeds in each walk: noise would differ in its pictures."""
    seeds, submit = itertools.count(1), session.submit
    session.submit = lambda order: submit(order.model_copy(update={"seed": next(seeds)}))


def main() -> int:
    """Walk; return 0 where every step was possible."""
    read = argparse.ArgumentParser()
    read.add_argument("who", choices=["student", "scientist", "analyst", "monkey", "protocols"])
    read.add_argument("--theme", default="light", choices=["light", "dark"])
    read.add_argument("--out", type=Path, required=True)
    told = read.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="qlab-walk-"))
    for name in ("CONFIG", "RUNTIME", "STATE", "CACHE"):
        os.environ[f"QLAB_{name}"] = str(home / name.lower())
    os.environ["HOME"] = str(home)

    from PySide6.QtTest import QTest

    from qlab.service import client
    from qlab.settings import Settings, save_settings
    from qlab_ui import theme
    from qlab_ui.app import make_application, make_window, show_exceptions
    from tests.ui.walks.hand import Hand
    from tests.ui.walks.pictures import Album

    walk = importlib.import_module(f"tests.ui.walks.{told.who}")
    settings = Settings(data_folder=str(home / "qlab" / "data"), theme=told.theme)
    settings.pace_seconds = getattr(walk, "PACE", 3.0)
    if prepare := getattr(walk, "prepare", None):
        prepare(home)
    save_settings(settings)
    app = make_application(["qlab"])
    theme.apply(app, told.theme)
    raised: list[object] = []
    session = client.connect()
    if told.who in FIRST_MINUTES:
        deal(session)
    window = make_window(session, settings)
    show_exceptions(window)
    shown = sys.excepthook
    sys.excepthook = lambda *error: (raised.append(error), traceback.print_exception(*error), shown(*error))
    window.resize(1440, 900)
    window.show()
    window.activateWindow()
    assert QTest.qWaitForWindowExposed(window)
    scale = round(window.devicePixelRatioF())
    try:
        walk.walk(Hand(window), Album(told.out, f"{told.who}-{told.theme}-{scale}"), home)
    except BaseException:
        traceback.print_exc()
        window.grab().save(str(told.out / f"{told.who}-failed.png"))
        return 1
    finally:
        window.close()
    return 1 if raised else 0


if __name__ == "__main__":
    sys.exit(main())
