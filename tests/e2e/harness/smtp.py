"""An SMTP client that keeps every octet of every reply, so that tests can look at CR LF, dashes and line lengths."""

import contextlib
import re
import socket

from .net import LOOPBACK, slow

_LINE = re.compile(rb"([2-5][0-9][0-9])([- ])(.*)", re.DOTALL)
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3}) ")


class ProtocolError(AssertionError):
    """The server sent something that is not an SMTP reply."""


class Closed(Exception):
    """The server closed the connection."""


class Reply:
    """One SMTP reply. `raw`: its octets; `lines`: the text of each line without code; `code`, `status`, `text`."""

    def __init__(self, raw):
        self.raw = raw
        self.code = int(raw[:3])
        self.lines = [
            line[4:].decode("utf-8", "surrogateescape") for line in raw.split(b"\r\n")[:-1]
        ]
        match = _STATUS.match(self.lines[-1] + " ")
        self.status = match.group(1) if match else None

    @property
    def wire_lines(self):
        """The lines with code and dash, without CRLF."""
        return [line.decode("utf-8", "surrogateescape") for line in self.raw.split(b"\r\n")[:-1]]

    @property
    def texts(self):
        """The text of each line without code and enhanced status."""
        return [
            _STATUS.sub("", line + " ", count=1)[:-1] if _STATUS.match(line + " ") else line
            for line in self.lines
        ]

    @property
    def text(self):
        return " ".join(self.texts)

    def __repr__(self):
        return "Reply:\n" + "\n".join(f"  {line}" for line in self.wire_lines)


def check_wire(raw, quoted=False):
    """Fails unless `raw` is exactly one reply: same code on each line, dashes right, CRLF, no control or 8-bit octets, 512 at most.

    `quoted`: the first line is Postfix's own and may quote an 8-bit address of the client's.
    """
    if not raw.endswith(b"\r\n"):
        raise ProtocolError(f"no CRLF at the end: {raw!r}")
    lines = raw.split(b"\r\n")[:-1]
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if not match:
            raise ProtocolError(f"line {number} is not a reply line: {line!r} in {raw!r}")
        if match.group(1) != lines[0][:3]:
            raise ProtocolError(f"line {number} has another code: {raw!r}")
        if match.group(2) != (b" " if number == len(lines) else b"-"):
            raise ProtocolError(f"line {number} has the wrong separator: {raw!r}")
        last = 255 if quoted and number == 1 else 126
        if any(octet < 32 or octet == 127 or octet > last for octet in line):
            raise ProtocolError(f"line {number} has a control or 8-bit octet: {line!r}")
        if len(line) > 510 and not (quoted and number == 1):
            raise ProtocolError(f"line {number} has {len(line)} octets: {line!r}")


class Smtp:
    """A session. Commands are methods; each returns a Reply. `strict`: check each reply's octets (check_wire)."""

    def __init__(
        self, port, source=LOOPBACK, host=LOOPBACK, timeout=30.0, strict=True, quoted=False
    ):
        self.strict, self.quoted = strict, quoted
        self.socket = socket.create_connection(
            (host, port), timeout=slow(timeout), source_address=(source, 0)
        )
        self.rest = b""
        self.seen = []  # (what was sent or None, Reply), for pretty printing
        self.banner = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        self.socket.close()

    def _line(self):
        while b"\n" not in self.rest:
            octets = self.socket.recv(65536)
            if not octets:
                raise Closed(f"closed by the server; unread: {self.rest!r}")
            self.rest += octets
        line, newline, self.rest = self.rest.partition(b"\n")
        return line + newline

    def reply(self, sent=None):
        """Reads one reply: lines up to the one without a dash."""
        raw = b""
        while True:
            line = self._line()
            raw += line
            if line[3:4] != b"-":
                break
        if self.strict:
            check_wire(raw, self.quoted)
        reply = Reply(raw)
        self.seen.append((sent, reply))
        return reply

    def command(self, line):
        """Sends one line (str or octets) and reads its reply."""
        octets = line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape")
        self.socket.sendall(octets + b"\r\n")
        return self.reply(octets.decode("utf-8", "backslashreplace"))

    def pipeline(self, *lines):
        """Sends several lines in one write; returns their replies."""
        self.socket.sendall(
            b"".join(
                (line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in lines
            )
        )
        return [self.reply(str(line)) for line in lines]

    def helo(self, name="client.test"):
        return self.command(f"HELO {name}")

    def ehlo(self, name="client.test"):
        return self.command(f"EHLO {name}")

    def mail(self, sender="s@sender.test", *options):
        return self.command(" ".join([f"MAIL FROM:<{sender}>", *options]))

    def rcpt(self, recipient):
        return self.command(f"RCPT TO:<{recipient}>")

    def data(self):
        return self.command("DATA")

    def message(self, content="Subject: test\r\n\r\nHello.\r\n"):
        """Sends the content (CRLF lines) after DATA, dots doubled, and reads the reply to its end."""
        octets = (
            content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        )
        if not octets.endswith(b"\r\n"):
            octets += b"\r\n"
        octets = re.sub(rb"(?m)^\.", b"..", octets)
        self.socket.sendall(octets + b".\r\n")
        return self.reply("(message)")

    def rset(self):
        return self.command("RSET")

    def quit(self):
        """QUIT, and after it the end of the connection: fails on octets that no command asked for."""
        reply = self.command("QUIT")
        with contextlib.suppress(ConnectionResetError):
            trailing = self.rest + self.socket.recv(65536)
            if trailing:
                raise ProtocolError(f"octets after the reply to QUIT: {trailing!r}")
        self.close()
        return reply

    def silence(self, seconds=0.2):
        """Fails if the server says anything unasked within the time: the sign of a reply with a line too many."""
        self.socket.settimeout(seconds)
        try:
            octets = self.rest or self.socket.recv(65536)
            raise ProtocolError(f"unasked octets: {octets!r}")
        except TimeoutError:
            pass
        finally:
            self.socket.settimeout(slow(30.0))


def send(
    port,
    sender="s@sender.test",
    recipients=("user@local.test",),
    content="Subject: test\r\n\r\nHello.\r\n",
    helo="client.test",
    source=LOOPBACK,
    strict=True,
):
    """One whole mail. Returns the replies by name: helo, mail, rcpt (a list), data, end; those not reached are None."""
    got = dict.fromkeys(("helo", "mail", "rcpt", "data", "end"))
    with Smtp(port, source=source, strict=strict) as session:
        got["helo"] = session.ehlo(helo)
        got["mail"] = session.mail(sender)
        if got["mail"].code == 250:
            got["rcpt"] = [session.rcpt(recipient) for recipient in recipients]
            if any(reply.code == 250 for reply in got["rcpt"]):
                got["data"] = session.data()
                if got["data"].code == 354:
                    got["end"] = session.message(content)
        session.quit()
    return got
