"""A network and a DNS of its own for a test, by Linux namespaces: nothing outside is asked, port 53 is free.

The test's function runs in a child process that has left the host's network and mounts; what it starts is in there too.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
import traceback

from . import guard

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def run_alone(function):
    """Calls `function` in namespaces of its own; fails with what it failed with."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            _leave()
            function()
            status = 0
        except BaseException:
            os.write(writer, traceback.format_exc().encode()[-60000:])
        finally:
            sys.stdout.flush()
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        text = said.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    assert status == 0, text or f"the child process ended with {status}"


def _leave():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: this test needs the right to make namespaces")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = bytearray(struct.pack("16sh22x", b"lo", 0))
        fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
        flags = struct.unpack_from("16sh", request)[1]
        struct.pack_into("16sh", request, 0, b"lo", flags | _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
    folder = guard.folder("alone")
    with open(f"{folder}/resolv.conf", "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    os.chmod(f"{folder}/resolv.conf", 0o644)
    subprocess.run(
        ["mount", "--bind", f"{folder}/resolv.conf", os.path.realpath("/etc/resolv.conf")],
        check=True,
    )


class Dns:
    """A DNS server on 127.0.0.1:53 for A and TXT records: {"1.0.0.127.rbl.test": ("127.0.0.2", "why")}. Only when alone.

    Either may be None. While it is `silent`, nobody gets an answer.
    """

    def __init__(self, records):
        self.records = records
        self.silent = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            if not self.silent:
                self.socket.sendto(self._answer(query), client)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1"))
            at += query[at] + 1
        (kind,) = struct.unpack_from(">H", query, at + 1)
        question = query[12 : at + 5]
        address, text = self.records.get(".".join(labels).lower(), (None, None))
        data = None
        if kind == 1 and address:
            data = socket.inet_aton(address)
        elif kind == 16 and text:
            pieces = [text[at : at + 255].encode() for at in range(0, len(text), 255)]
            data = b"".join(bytes([len(piece)]) + piece for piece in pieces)
        flags = 0x8180 if address or text else 0x8183
        header = query[:2] + struct.pack(">HHHHH", flags, 1, 1 if data else 0, 0, 0)
        if not data:
            return header + question
        return header + question + struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(data)) + data
