"""A stand-in for Dovecot's login service, so that Postfix offers AUTH: PLAIN, one password for everybody."""

import base64
import contextlib
import os
import socketserver
import threading

PASSWORD = "right"


class DovecotAuth:
    """Listens at a path; `settings` are what Postfix's smtpd needs to use it."""

    def __init__(self, path):
        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    serve(self.rfile, self.wfile)

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self.server = Server(path, Session)
        os.chmod(path, 0o666)
        self.settings = {
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": path,
        }
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def plain(user, password=PASSWORD):
    """The AUTH command of this user."""
    return "AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def serve(lines, out):
    out.write(
        b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n"
    )
    for line in lines:
        word, *fields = line.rstrip(b"\n").split(b"\t")
        if word == b"AUTH":
            response = next((field[5:] for field in fields if field.startswith(b"resp=")), b"")
            _, user, password = (base64.b64decode(response).split(b"\0") + [b"", b""])[:3]
            if password.decode() == PASSWORD:
                out.write(b"OK\t%s\tuser=%s\n" % (fields[0], user))
            else:
                out.write(b"FAIL\t%s\tuser=%s\n" % (fields[0], user))
