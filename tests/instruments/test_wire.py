"""Lines to devices: TCP, PyVISA, HiSLIP, serial ports, each with a real peer; what breaks on them is one error."""

import os
import socket
import struct
import threading
import time
import tty

import pytest

from qlab.errors import InstrumentError, LostError
from qlab.instrument import Knob
from qlab_instruments.dialogues.device import SimulatedDevice
from qlab_instruments.dialogues.server import Served
from qlab_instruments.messages import MessageInstrument
from qlab_instruments.srs.sg380 import SG380


class Plain(MessageInstrument):
    """One knob over any line."""

    complaint = ""
    level = Knob("V", get="LEV?", set="LEV {:.6g}", limits=(-10, 10))


DIALOGUE = {
    "identity": "Maker,PLAIN,1,1.0",
    "state": {"level": {"header": "LEVel", "limits": [-10, 10]}},
    "fixed": {"JUNK?": "not a number"},
}


@pytest.fixture
def served():
    with Served(SimulatedDevice.of(DIALOGUE)) as peer:
        yield peer


@pytest.mark.parametrize("library", ["", "@py"])
def test_set_and_query_are_quick_over_tcp(served, library):
    # Nagle's algorithm against delayed acknowledgements costs 40 ms a pair where it is left on.
    device = Plain(served.address, library=library)
    device.joined = False
    device.open()
    device.level = 1.0
    since = time.perf_counter()
    for i in range(10):
        device.level = i / 10
    spent = time.perf_counter() - since
    assert device.level == 0.9
    device.close()
    assert spent < 0.3


def test_a_device_that_hangs_up_is_lost_and_comes_back(served):
    device = Plain(served.address, timeout=0.5)
    device.open()
    device.level = 2.0
    served.hang_up()
    with pytest.raises(LostError, match="did not answer"):
        _ = device.level
    assert any("!" in entry for entry in device.trace)
    device.close()
    device.open()
    assert device.level == 2.0
    device.close()


def test_a_device_that_is_silent_is_lost_in_time():
    with Served(SimulatedDevice.of(DIALOGUE)) as served:
        device = Plain(served.address, timeout=0.3)
        device.open()
        served.device.say_first = lambda part: ""
        since = time.monotonic()
        with pytest.raises(LostError, match="TimeoutError"):
            _ = device.level
        assert time.monotonic() - since < 1.5
        device.close()


def test_garbage_is_asked_for_again_a_bounded_number_of_times(served):
    device = Plain(served.address)
    device.open()
    answers = ["@@@@", "1.5"]
    served.device.say_first = lambda part: answers.pop(0) if part == "LEV?" and answers else None
    assert device.level == 1.5
    asked = len(served.device.heard)
    served.device.say_first = lambda part: "@@@@" if part == "LEV?" else None
    with pytest.raises(InstrumentError, match="answered '@@@@' to LEV"):
        _ = device.level
    assert len(served.device.heard) - asked == 2
    device.close()


def test_bytes_that_are_no_text_are_said(served):
    device = Plain(served.address)
    device.open()
    served.device.say_first = lambda part: "\xff\xfe" if part == "LEV?" else None
    with pytest.raises(InstrumentError, match="bytes that are no text"):
        _ = device.level
    device.close()


def test_nothing_is_read_while_another_thread_waits_for_its_answer(served):
    device = Plain(served.address)
    device.open()
    device.level = 3.0
    seen = []
    threads = [
        threading.Thread(target=lambda: seen.extend(device.level for _ in range(50))),
        threading.Thread(target=lambda: seen.extend(float(device.identity()["serial"]) for _ in range(50))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(seen)) == [1.0, 3.0]
    device.close()


def test_a_serial_port(tmp_path):
    master, slave = os.openpty()
    peer = SimulatedDevice.of(DIALOGUE)

    def answer():
        held = b""
        while True:
            try:
                held += os.read(master, 4096)
            except OSError:
                return
            while b"\n" in held:
                line, _, held = held.partition(b"\n")
                for reply in peer.hear(line.decode()):
                    os.write(master, reply.encode() + b"\n")

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    tty.setraw(slave)
    device = Plain(f"ASRL{os.ttyname(slave)}::INSTR", timeout=1.0)
    device.joined = False
    device.open()
    device.level = 4.5
    assert device.level == 4.5
    with pytest.raises(InstrumentError, match="does not answer"):
        Plain("ASRL/dev/nowhere::INSTR").open()
    device.close()
    os.close(slave)
    # A thread that still read would steal from whatever gets this number next.
    answering.join(5)
    assert not answering.is_alive()
    os.close(master)


def hislip(device, listener):
    """Serve HiSLIP (IVI-6.1): two connections, messages with a head of 16 bytes."""
    head = struct.Struct("!2sBBIQ")

    def receive(connection, count):
        came = b""
        while len(came) < count:
            part = connection.recv(count - len(came))
            if not part:
                raise EOFError
            came += part
        return came

    def serve(connection):
        try:
            while True:
                _, kind, _, parameter, size = head.unpack(receive(connection, head.size))
                body = receive(connection, size)
                if kind == 0:  # Initialize
                    connection.sendall(head.pack(b"HS", 1, 0, 0x0100_0001, 0))
                elif kind == 17:  # AsyncInitialize
                    connection.sendall(head.pack(b"HS", 18, 0, 0x7171, 0))
                elif kind == 15:  # AsyncMaximumMessageSize
                    connection.sendall(head.pack(b"HS", 16, 0, 0, 8) + struct.pack("!Q", 1 << 20))
                elif kind in {6, 7}:  # Data, DataEnd
                    for reply in device.hear(body.decode().strip()):
                        data = reply.encode() + b"\n"
                        connection.sendall(head.pack(b"HS", 7, 0, parameter, len(data)) + data)
        except (OSError, EOFError):
            connection.close()

    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def test_hislip():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    device = SimulatedDevice.read("srs.sg380")
    serving = threading.Thread(target=hislip, args=(device, listener), daemon=True)
    serving.start()
    source = SG380(f"TCPIP::127.0.0.1::hislip0,{port}::INSTR", library="@py")
    source.open()
    source.frequency = 2.87e9
    assert source.frequency == 2.87e9
    assert source.identity()["model"] == "SG384"
    source.close()
    listener.shutdown(socket.SHUT_RDWR)
    serving.join(5)
    listener.close()
