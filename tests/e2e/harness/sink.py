"""A mail server at the far end: takes mail and keeps it, or refuses it with the octets a test wants."""

import re
import socketserver
import threading

from .net import LOOPBACK, free_port, wait_for


class Mail:
    """A mail that was taken. `content`: its octets with LF line ends, dots undone; `envelope`: MAIL and RCPT as they came."""

    def __init__(self, sender, recipients, content, envelope=()):
        self.sender, self.recipients, self.content = sender, recipients, content
        self.envelope = list(envelope)

    @property
    def text(self):
        return self.content.decode("utf-8", "surrogateescape")

    def headers(self):
        """The header block as one text, unfolded."""
        return re.sub(r"\n[ \t]+", " ", self.text.split("\n\n", 1)[0])

    def __repr__(self):
        return f"Mail from <{self.sender}> to {self.recipients}:\n{self.text}"


class Sink:
    """An SMTP server on a loopback port, in threads.

    `refusals` maps a recipient's address to the reply at RCPT, as octets without the last CRLF; `at_end` is the reply
    at the end of every message instead of 250.
    """

    def __init__(self, refusals=None, at_end=None):
        self.refusals = {address: octets for address, octets in (refusals or {}).items()}
        self.at_end = at_end
        self.mails = []
        self.port = free_port()
        sink = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    sink.serve(self.rfile, self.wfile)
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server((LOOPBACK, self.port), Session)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, lines, out):
        def say(octets):
            out.write(octets + b"\r\n")

        sender, recipients, envelope = None, [], []
        say(b"220 sink.test ESMTP")
        for line in lines:
            verb = line[:4].upper()
            address = re.search(rb"<(.*)>", line)
            address = address.group(1).decode("utf-8", "surrogateescape") if address else ""
            if verb in (b"EHLO", b"HELO"):
                say(
                    b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN"
                    if verb == b"EHLO"
                    else b"250 sink.test"
                )
            elif verb == b"MAIL":
                sender, recipients, envelope = address, [], [line]
                say(b"250 2.1.0 ok")
            elif verb == b"RCPT":
                if address in self.refusals:
                    say(self.refusals[address])
                else:
                    recipients.append(address)
                    envelope.append(line)
                    say(b"250 2.1.5 ok")
            elif verb == b"DATA":
                if not recipients:
                    say(b"554 5.5.1 no valid recipients")
                    continue
                say(b"354 go")
                content = self._content(lines)
                if self.at_end:
                    say(self.at_end)
                else:
                    self.mails.append(Mail(sender, recipients, content, envelope))
                    say(b"250 2.0.0 stored")
            elif verb == b"QUIT":
                say(b"221 2.0.0 bye")
                return
            elif verb in (b"RSET", b"NOOP"):
                say(b"250 2.0.0 ok")
            else:
                say(b"502 5.5.2 not here")

    @staticmethod
    def _content(lines):
        content = []
        for line in lines:
            if line == b".\r\n":
                break
            content.append(line.removeprefix(b".").replace(b"\r\n", b"\n"))
        return b"".join(content)

    def wait_mail(self, count=1, recipient=None, seconds=20):
        """Waits until `count` mails (for the recipient) have come; returns them."""

        def enough():
            mails = [
                mail
                for mail in list(self.mails)
                if recipient is None or recipient in mail.recipients
            ]
            return mails if len(mails) >= count else None

        return wait_for(
            enough, lambda: f"{count} mail(s) for {recipient}; came: {self.mails}", seconds
        )
