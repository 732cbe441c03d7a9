"""A real window that orders one run and is then killed: `python -m tests.faults.killed_window ORDER.json`."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qlab.service.client import connect
from qlab.session import Order
from qlab.settings import Settings
from qlab_ui.app import make_application, make_window


def main() -> None:
    order = Order.model_validate_json(Path(sys.argv[1]).read_text())
    app = make_application(["qlab"])
    session = connect()
    window = make_window(session, Settings(data_folder=order.out, theme="light"))
    window.show()
    print(session.submit(order), flush=True)
    app.exec()


if __name__ == "__main__":
    main()
