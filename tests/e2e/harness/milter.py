"""The milter protocol from the MTA's side, as Postfix and Sendmail speak it: one class that says exactly what a test wants.

A packet is a length of four octets, a command, and data; an answer likewise. What was negotiated decides which commands
are sent and which are answered; a method returns the answer, or None where there is none to wait for.
"""

import socket
import struct

from .net import slow

# Steps (what the MTA may send) and how a filter wants it otherwise
NOCONNECT, NOHELO, NOMAIL, NORCPT, NOBODY, NOHDRS, NOEOH = (1 << bit for bit in range(7))
NR_HDR, NOUNKNOWN, NODATA, SKIP, RCPT_REJ = (1 << bit for bit in range(7, 12))
NR_CONN, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA, NR_UNKN, NR_EOH, NR_BODY = (
    1 << bit for bit in range(12, 20)
)
HDR_LEADSPC = 1 << 20
# No command but the end of a message; no answer but to that
NOTHING = NOCONNECT | NOHELO | NOMAIL | NORCPT | NODATA | NOHDRS | NOEOH | NOBODY | NOUNKNOWN
SILENT = NR_CONN | NR_HELO | NR_MAIL | NR_RCPT | NR_DATA | NR_HDR | NR_EOH | NR_BODY | NR_UNKN
ALL_STEPS = (1 << 21) - 1
# Actions
ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS, QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = (
    1 << bit for bit in range(9)
)
ALL_ACTIONS = (1 << 9) - 1

# command: (not sent with, not answered with)
_FLAGS = {
    b"C": (NOCONNECT, NR_CONN),
    b"H": (NOHELO, NR_HELO),
    b"M": (NOMAIL, NR_MAIL),
    b"R": (NORCPT, NR_RCPT),
    b"T": (NODATA, NR_DATA),
    b"L": (NOHDRS, NR_HDR),
    b"N": (NOEOH, NR_EOH),
    b"B": (NOBODY, NR_BODY),
    b"U": (NOUNKNOWN, NR_UNKN),
    b"E": (0, 0),
}
_FINAL = b"cadrtys"


def packet(command, data=b""):
    return struct.pack(">I", 1 + len(data)) + command + data


def octets(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def strings(*texts):
    return b"".join(octets(text) + b"\0" for text in texts)


class Answer:
    """`kind`: c(ontinue) a(ccept) d(iscard) r(eject) t(empfail) y (a reply) s(kip) q(uarantine); `text`: what came with it."""

    def __init__(self, kind, data):
        self.kind = kind.decode()
        self.text = data.rstrip(b"\0")

    @property
    def lines(self):
        return self.text.decode("utf-8", "surrogateescape").split("\r\n")

    def __eq__(self, kind):
        return self.kind == kind

    def __repr__(self):
        return f"{self.kind} {self.text!r}"


class Milter:
    """A connection to a milter at a path. Methods are the commands; macros go before the command that they belong to."""

    def __init__(self, path, steps=ALL_STEPS, actions=ALL_ACTIONS, version=6, timeout=10.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(slow(timeout))
        self.socket.connect(path)
        self.offer = (version, actions, steps)
        self.steps = self.actions = 0
        self.macros = {}  # the names of the macros that it asked for, by stage

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, command, data=b""):
        self.socket.sendall(packet(command, data))

    def read(self):
        """The next packet: (kind, data)."""
        length = struct.unpack(">I", self._read(4))[0]
        whole = self._read(length)
        return whole[:1], whole[1:]

    def _read(self, count):
        got = b""
        while len(got) < count:
            more = self.socket.recv(count - len(got))
            if not more:
                raise ConnectionError("the milter closed the connection")
            got += more
        return got

    def negotiate(self):
        self.send(b"O", struct.pack(">III", *self.offer))
        kind, data = self.read()
        assert kind == b"O", (kind, data)
        _, self.actions, self.steps = struct.unpack_from(">III", data)
        rest = data[12:]
        while rest:
            (stage,) = struct.unpack_from(">I", rest)
            names, _, rest = rest[4:].partition(b"\0")
            self.macros[stage] = names.decode().split()
        return self

    def macro(self, command, **values):
        """Macros for a command: `i="4ABC"`, or `rcpt_addr="..."` for {rcpt_addr}."""
        flat = []
        for name, value in values.items():
            flat += [name if len(name) == 1 else "{" + name + "}", value]
        self.send(b"D", octets(command) + strings(*flat))

    def command(self, command, data=b"", **macros):
        """One command; all answers up to the final one, or None where none is due. Only the last is returned but at the end."""
        not_sent, silent = _FLAGS[command]
        if self.steps & not_sent:
            return None
        if macros:
            self.macro(command, **macros)
        self.send(command, data)
        if self.steps & silent:
            return None
        return self.answers()[-1]

    def answers(self):
        answers = []
        while True:
            kind, data = self.read()
            if kind == b"p":
                continue
            answers.append(Answer(kind, data))
            if kind in _FINAL:
                return answers

    def connect(self, address="192.0.2.1", name="client.test", port=40000, **macros):
        family = b"6" if ":" in address else b"4"
        data = strings(name) + family + struct.pack(">H", port) + strings(address)
        return self.command(b"C", data, **macros)

    def helo(self, name="client.test", **macros):
        return self.command(b"H", strings(name), **macros)

    def mail(self, sender="<s@sender.test>", *options, **macros):
        return self.command(b"M", strings(sender, *options), **macros)

    def rcpt(self, recipient="<user@local.test>", *options, **macros):
        return self.command(b"R", strings(recipient, *options), **macros)

    def refused_rcpt(self, recipient, status, text, **macros):
        """A recipient that the MTA has refused itself (SMFIP_RCPT_REJ)."""
        macros = {"rcpt_mailer": "error", "rcpt_host": status, "rcpt_addr": text} | macros
        return self.rcpt(recipient, **macros)

    def data(self, **macros):
        return self.command(b"T", **macros)

    def header(self, name, value):
        return self.command(b"L", strings(name, value))

    def end_of_headers(self):
        return self.command(b"N")

    def body(self, content):
        return self.command(b"B", octets(content))

    def end(self, **macros):
        """End of message: all answers."""
        if macros:
            self.macro(b"E", **macros)
        self.send(b"E")
        return self.answers()

    def abort(self):
        self.send(b"A")

    def quit(self):
        self.send(b"Q")
        self.close()

    def start(self, **connect):
        """Negotiation, connect and HELO, unless these are of interest."""
        self.negotiate()
        self.connect(**connect)
        self.helo()
        return self

    def message(self, headers=(("Subject", "test"),), content="Hello.\r\n"):
        """From DATA to the end: the first answer that is not "continue", or the last."""
        answer = self.data()
        if answer != "c":
            return answer
        for name, value in headers:
            answer = self.header(name, value)
            assert answer is None or answer == "c"
        answer = self.end_of_headers()
        if answer is not None and answer != "c":
            return answer
        answer = self.body(content)
        if answer is not None and answer != "c":
            return answer
        return self.end()[-1]
