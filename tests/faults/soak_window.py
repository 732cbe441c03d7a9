"""The window of the soak: a real one on the real supervisor, with a timer that measures how late the event loop is."""

import json
import os
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer

from qlab.service.client import connect
from qlab.settings import Settings
from qlab_ui.app import make_application, make_window, settle

FRAME = 0.016  # s


def main() -> None:
    folder = Path(sys.argv[1])
    sys.setswitchinterval(0.0005)
    app = make_application(["qlab"])
    window = make_window(connect(), Settings(data_folder=str(folder), theme="light"))
    window.resize(1440, 900)
    window.show()
    late, last = [], [time.perf_counter()]

    def frame():
        now = time.perf_counter()
        late.append(max(now - last[0] - FRAME, 0.0))
        last[0] = now

    def obey(line):
        match line.split(maxsplit=1):
            case ["open", path]:
                window.files.open(Path(path))
            case ["fit"]:
                window.fitting.again()
            case ["measure"]:
                # The beginning, with its imports, is not what the soak is about.
                settle()
                late.clear()
            case ["told"]:
                ordered = sorted(late) or [0.0]
                print(json.dumps({
                    "frames": len(late), "worst": ordered[-1],
                    "p99": ordered[int(0.99 * (len(ordered) - 1))], "median": ordered[len(ordered) // 2],
                    "over_60_ms": sum(value > 0.060 for value in late),
                    "threads": threading.active_count(), "tabs": sum(1 for _ in window.centre.pages()),
                }), flush=True)  # fmt: skip
            case ["end"]:
                window.close()
                app.quit()

    lines = []
    threading.Thread(target=lambda: [lines.append(line.strip()) for line in sys.stdin], daemon=True).start()

    def listen():
        while lines:
            obey(lines.pop(0))

    timer = QTimer(window, interval=16)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(frame)
    timer.start()
    ears = QTimer(window, interval=50)
    ears.timeout.connect(listen)
    ears.start()
    print("up", flush=True)
    app.exec()


if __name__ == "__main__":
    main()
