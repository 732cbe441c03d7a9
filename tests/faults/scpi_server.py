"""A SCPI instrument on a real TCP port in a process of its own, with faults to order.

Run as `python scpi_server.py`: prints the port of the instrument and that of its control. A line sent to the control
orders the trouble of a later query: `TROUBLE [QUERIES UNTIL IT]`.
"""

import socket
import sys
import threading
import time

STATE = {"VOLT": 0.0, "OUTP": 0.0}
TROUBLE = {"what": "", "left": 0}
LOCK = threading.Lock()


def answer(command, connection):
    """Act on one command; return the reply, or None for none."""
    replies = []
    for part in command.split(";"):
        part = part.strip()
        if part == "*IDN?":
            replies.append("qlab,SCPI server,42,1.0")
        elif part == "*OPC?":
            replies.append("1")
        elif part == "MEAS?":
            replies.append(
                f"{STATE['VOLT'] * 2 + 1:.9g}" if (what := due()) == "" else broken(what, connection)
            )
        elif part.endswith("?") and part[:-1] in STATE:
            replies.append(f"{STATE[part[:-1]]:.9g}")
        elif part.partition(" ")[0] in STATE:
            name, _, value = part.partition(" ")
            STATE[name] = float(value)
    return ";".join(replies) if replies else None


def due():
    """Return the trouble that this query meets."""
    with LOCK:
        if not TROUBLE["what"]:
            return ""
        TROUBLE["left"] -= 1
        if TROUBLE["left"] > 0:
            return ""
        what, TROUBLE["what"] = TROUBLE["what"], ""
        return what


def broken(what, connection):
    """Return what a broken instrument says, or do what it does."""
    if what == "hang":
        time.sleep(30)
    if what == "disconnect":
        connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionError
    if what == "reset":
        STATE.update(VOLT=0.0, OUTP=0.0)  # as after its power went
        connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionError
    return {
        "garbage": "\x07#!ERR", "nan": "NAN", "overflow": "9.9E37", "empty": "", "error": '-221,"Settings conflict"',
    }[what]  # fmt: skip


def serve(connection):
    """Speak to one client until it leaves."""
    try:
        with connection, connection.makefile("rwb") as lines:
            for line in lines:
                reply = answer(line.decode("ascii", "replace"), connection)
                if reply is not None:
                    lines.write(reply.encode("latin-1") + b"\n")
                    lines.flush()
    except OSError:
        return


def order(connection):
    """Take orders."""
    with connection, connection.makefile("rwb") as lines:
        for line in lines:
            what, _, left = line.decode().strip().partition(" ")
            if what == "state":
                lines.write(f"{STATE['VOLT']} {STATE['OUTP']}\n".encode())
            else:
                with LOCK:
                    TROUBLE.update(what=what, left=int(left or 1))
                lines.write(b"ok\n")
            lines.flush()


def listen(handle):
    """Serve a free port, each client in a thread; return the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=handle, args=(client,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return listener.getsockname()[1]


if __name__ == "__main__":
    print(listen(serve), listen(order), flush=True)
    sys.stdin.read()
