"""Postfix's socketmap protocol from both sides: a client as Postfix is one, and a small server to stand in for ours.

A request is the netstring `<length>:<map> <key>,`, an answer `<length>:OK <text>,` or `NOTFOUND `, `TEMP`, `TIMEOUT`, `PERM`.
"""

import contextlib
import os
import socket
import threading

from .net import slow


def netstring(octets):
    return b"%d:%s," % (len(octets), octets)


def read_netstring(stream):
    """Reads one netstring from a binary stream; None at its end; ValueError if it is none."""
    digits = b""
    while True:
        octet = stream.read(1)
        if not octet:
            if digits:
                raise ValueError("ended within a length")
            return None
        if octet == b":":
            break
        if not octet.isdigit() or len(digits) > 8:
            raise ValueError(f"not a netstring: {digits + octet!r}")
        digits += octet
    payload = stream.read(int(digits))
    if len(payload) != int(digits) or stream.read(1) != b",":
        raise ValueError("not a netstring: no comma after its payload")
    return payload


class Client:
    """A persistent connection to a socketmap server at a path or (host, port)."""

    def __init__(self, address, timeout=10.0):
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(slow(timeout))
        self.socket.connect(address)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def ask(self, table, key):
        """One query. Returns (status, text): ("OK", octets) or ("NOTFOUND", b"") and so on."""
        key = key if isinstance(key, bytes) else key.encode()
        self.socket.sendall(netstring(table.encode() + b" " + key))
        answer = read_netstring(self.stream)
        if answer is None:
            raise ConnectionError("the table server closed the connection")
        status, _, text = answer.partition(b" ")
        return status.decode(), text


class Server:
    """A socketmap server in threads. `answer(table, key)` gives the whole answer's payload as octets, or None to hang up."""

    def __init__(self, path, answer, mode=0o666):
        self.answer = answer
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.listener.bind(path)
        os.chmod(path, mode)
        self.listener.listen(50)
        self.path = path
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream, contextlib.suppress(
            OSError, ValueError
        ):
            while (request := read_netstring(stream)) is not None:
                table, _, key = request.partition(b" ")
                self.asked.append((table.decode(), key))
                answer = self.answer(table.decode(), key)
                if answer is None:
                    return
                connection.sendall(netstring(answer))
