"""A scripted filter: the other side of the milter protocol, which answers exactly what a test wants and keeps what it was told.

What it answers to a command is `script[command]`: octets, written as they are; or a function (session, data) -> octets, which
may also wait, write by itself, or close the connection, and returns None for no answer. A command that the script does not
have is answered with CONTINUE, unless the negotiation said that it has no answer.

    filter.script = {b"R": reply("550 5.7.1 no"), b"E": add_header("X-A", " b") + CONTINUE, b"B": hang}

Commands are letters: C(onnect) H(elo) M(ail) R(cpt) T (data) L (a header) N (end of headers) B(ody) E(nd of message)
U(nknown) A(bort) Q(uit) K (quit, a new connection follows) D (macros) O (negotiation).
"""

import contextlib
import os
import socket
import struct
import threading
import time

from . import guard
from .milter import ALL_ACTIONS, ALL_STEPS, _FLAGS, octets, packet, strings
from .net import LOOPBACK, free_port, wait_for

CONTINUE, ACCEPT, DISCARD, REJECT, TEMPFAIL, SKIP, PROGRESS = (
    packet(letter.encode()) for letter in "cadrtsp"
)
SHUTDOWN, CONN_FAIL = packet(b"4"), packet(b"f")
_UNANSWERED = b"AQKD"


def reply(text):
    """REPLYCODE, the text as it is."""
    return packet(b"y", octets(text) + b"\0")


def add_header(name, value):
    return packet(b"h", strings(name, value))


def insert_header(index, name, value):
    return packet(b"i", struct.pack(">I", index) + strings(name, value))


def change_header(index, name, value):
    """An empty value deletes the header."""
    return packet(b"m", struct.pack(">I", index) + strings(name, value))


def add_recipient(address, arguments=None):
    if arguments is None:
        return packet(b"+", strings(address))
    return packet(b"2", strings(address, arguments))


def delete_recipient(address):
    return packet(b"-", strings(address))


def change_sender(address, arguments=None):
    return packet(b"e", strings(address) if arguments is None else strings(address, arguments))


def replace_body(content):
    return packet(b"b", octets(content))


def quarantine(reason):
    return packet(b"q", strings(reason))


def hang(session, _data):
    """No answer, for as long as the other side waits."""
    session.wait_end()


def die(session, _data):
    """The connection ends in place of an answer."""
    session.close()


def drip(content, seconds=0.005):
    """An answer an octet at a time."""

    def answer(session, _data):
        for at in range(len(content)):
            session.write(content[at : at + 1])
            time.sleep(seconds)

    return answer


def cut(content):
    """An answer, or a piece of one, and then the end of the connection."""

    def answer(session, _data):
        session.write(content)
        session.close()

    return answer


def after(seconds, content):
    """An answer that takes its time."""

    def answer(_session, _data):
        time.sleep(seconds)
        return content

    return answer


def nth(count, answer):
    """The answer to the nth command of its kind on a connection; CONTINUE to the others."""

    def answers(session, _data):
        session.answered += 1
        return answer if session.answered == count else CONTINUE

    return answers


class Session:
    """What one connection told the filter.

    `told`: (command, data) in order, macros too; `steps`, `actions`, `version`: what was offered; `ended`: it is over.
    """

    def __init__(self, filter_, connection):
        self.filter, self.connection = filter_, connection
        self.told = []
        self.steps = self.actions = self.version = 0
        self.closed = self.ended = False
        self.answered = 0

    def write(self, content):
        self.connection.sendall(content)

    def close(self):
        self.closed = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()

    def wait_end(self):
        """Waits until the other side has had enough. What it says meanwhile is lost."""
        while self.connection.recv(65536):
            pass
        self.closed = True

    def commands(self, letters=None):
        """The data of the commands of these letters, or all commands but macros as (command, data)."""
        if letters is None:
            return [(command, data) for command, data in self.told if command != b"D"]
        return [data for command, data in self.told if command in letters]

    def order(self):
        """The letters of all commands but macros, e.g. b"OCHMRTLLNBEQ"."""
        return b"".join(command for command, _ in self.commands())

    def headers(self):
        """The headers of all messages: (name, value), octet for octet."""
        return [tuple(data.split(b"\0")[:2]) for data in self.commands(b"L")]

    def body(self):
        """The bodies of all messages in one."""
        return b"".join(self.commands(b"B"))

    def macros(self, letter):
        """The macros that came for this command, the last of each name: {"i": b"4ABC"}."""
        found = {}
        for data in self.commands(b"D"):
            if data[:1] == letter:
                flat = data[1:].split(b"\0")[:-1]
                found.update({key.decode(): value for key, value in zip(flat[::2], flat[1::2])})
        return found

    def serve(self):
        while not self.closed:
            command, data = self._read()
            self.told.append((command, data))
            if command == b"O":
                self._negotiate(data)
            elif command == b"Q" and self.filter.script.get(b"Q") is None:
                break
            self._answer(command, data)

    def _read(self):
        (length,) = struct.unpack(">I", self._take(4))
        whole = self._take(length)
        return whole[:1], whole[1:]

    def _take(self, count):
        got = bytearray()
        while len(got) < count:
            more = self.connection.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return bytes(got)

    def _negotiate(self, data):
        self.version, self.actions, self.steps = struct.unpack(">III", data[:12])

    def _negotiation(self):
        wanted = self.filter
        answer = struct.pack(
            ">III",
            min(wanted.version, self.version),
            wanted.actions & self.actions,
            wanted.steps & self.steps,
        )
        for stage, names in wanted.macros.items():
            answer += struct.pack(">I", stage) + strings(names)
        return packet(b"O", answer)

    def _answer(self, command, data):
        answer = self.filter.script.get(command)
        if callable(answer):
            answer = answer(self, data)
        elif answer is None:
            answer = self._usual(command)
        if answer and not self.closed:
            self.write(answer)

    def _usual(self, command):
        if command == b"O":
            return self._negotiation()
        if command in _UNANSWERED:
            return None
        _, silent = _FLAGS[command]
        return None if self.filter.steps & self.steps & silent else CONTINUE


class Filter:
    """A filter on a socket of its own, a thread for each connection. What it is may be changed between connections.

    `script`: see above; `steps`, `actions`, `macros` (stage: names), `version`: what it says in the negotiation, less what
    is not offered to it; `sessions`: all that was told.
    """

    def __init__(self, script=None, inet=False, **wants):
        self.folder = guard.folder("filter")
        self.path = os.path.join(self.folder, "sock")
        self.port = free_port() if inet else None
        self.sessions = []
        self.listener = None
        self.reset(script, **wants)
        self.open()

    def reset(self, script=None, steps=0, actions=ALL_ACTIONS, macros=None, version=6):
        """From now on another filter, which was told nothing yet."""
        assert steps & ~ALL_STEPS == 0
        self.script = script or {}
        self.steps, self.actions, self.macros, self.version = steps, actions, macros or {}, version
        self.sessions = []

    @property
    def socket(self):
        """Its address, as Postfix and replymilter write it."""
        return f"inet:{self.port}@{LOOPBACK}" if self.port else f"unix:{self.path}"

    @property
    def postfix_socket(self):
        return f"inet:{LOOPBACK}:{self.port}" if self.port else f"unix:{self.path}"

    def open(self):
        """Listens, again after shut()."""
        if self.port:
            self.listener = socket.create_server((LOOPBACK, self.port), backlog=100)
        else:
            self.listener = socket.socket(socket.AF_UNIX)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self.listener.bind(self.path)
            os.chmod(self.path, 0o666)
            self.listener.listen(100)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def move(self, path, mode):
        """Its socket gets another name, and another mode."""
        os.rename(self.path, path)
        os.chmod(path, mode)
        self.path = path

    def shut(self, unlink=True):
        """Nobody listens any more; connections that there are go on."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if unlink and not self.port:
            os.unlink(self.path)

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                session = Session(self, connection)
                self.sessions.append(session)
                threading.Thread(target=self._serve, args=(session,), daemon=True).start()

    @staticmethod
    def _serve(session):
        try:
            with contextlib.suppress(OSError, EOFError):
                session.serve()
        finally:
            session.close()
            session.ended = True

    def settle(self):
        """Waits until all connections are over, then returns their sessions."""
        sessions = list(self.sessions)
        wait_for(
            lambda: all(session.ended for session in sessions),
            "the filter's connections to end",
            step=0.005,
        )
        return sessions

    def close(self):
        with contextlib.suppress(OSError):
            self.shut()
        for session in self.sessions:
            session.close()
        guard.remove(self.folder)
