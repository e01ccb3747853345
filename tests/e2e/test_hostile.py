"""Whatever a client sends: no further reply line, no raw control or 8-bit octet in a reply, a header or an event."""

import json
import re
import threading

import pytest
from harness import smtp

pytestmark = pytest.mark.threaded

# Everything that a client supplies is said back, by checks of our own and by lines added to Postfix's replies.
ECHO = '"H %{helo} S %{sender} D %{sender_domain}", "R %{recipient} %{recipient_domain}", "C %{client_addr} %{client_name}"'
POLICY = f"""
site = {{ help_url = "https://help.test/%{{status}}"; reference = true; }};
replies = {{ rules = ( {{ name = "echo"; when = {{ code = "5*"; }}; then = {{ mode = "annotate"; text = [ {ECHO} ]; }}; }} ); }};
checks = (
  {{ name = "rcpt"; when = {{ recipient = "*second*"; }}; then = {{ code = 550; status = "5.7.1"; text = [ {ECHO} ]; }}; }},
  {{ name = "header"; when = {{ header = "/^X-Hostile: ?(.*)$/is"; }};
     then = {{ code = 550; status = "5.7.1"; text = [ "You wrote %{{1}}", {ECHO} ]; }}; }}
);
"""

VALUES = [
    b"plain",
    b"a%s%n%d%",
    b"$sender",
    b"${client_address}",
    b"$(id)",
    b"$$",
    rb"a\nb",
    rb"\c",
    rb"a\r\n250 2.0.0 Ok",
    b"%{sender}",
    b"%{reference",
    b"a\x01\x02\x1b[31mb",
    b"a\x7fb",
    b"a\tb",
    b"a\rb",
    b"a\r\rb",
    b"\xff\xfe\x80",
    "é\u2028\u202e".encode(),
    b"\xc3\x28",
    b"x" * 900,
    b"\xc3\xa9" * 400,
    b"550-5.1.1",
    b"250 2.0.0 Ok",
    b"<>\"'&;|`",
    b"3:a b,9999:OK x,",
    b"..",
]


def probe(port, value, trail):
    """One session with the value in every place. The client itself fails on each octet of a reply that is not right."""
    local = value.replace(b"\r", b"").replace(b"\n", b"")[:400]
    quoted = b'"' + re.sub(rb'(["\\])', rb"\\\1", local) + b'"'
    with smtp.Smtp(port, quoted=True) as session:
        trail += session.seen
        session.command(b"EHLO " + value)
        session.command(b"HELO client.test")
        for sender in (
            b"s@sender.test",
            local + b"@sender.test",
            quoted + b"@sender.test",
            b"s@" + local + b".test",
        ):
            if session.command(b"MAIL FROM:<" + sender + b">").code == 250:
                for recipient in (
                    b"nobody%s@local.test",
                    b'"second%s"@local.test',
                    b"second@%s.test",
                ):
                    session.command(b"RCPT TO:<" + recipient.replace(b"%s", local) + b">")
                    session.command(b"RCPT TO:<" + recipient.replace(b"%s", quoted) + b">")
                session.command(b"RCPT TO:<second@local.test>")
                session.command(b"RCPT TO:<user@local.test>")
                if session.data().code == 354:
                    session.message(
                        b"X-Hostile: " + value + b"\r\nX-" + local + b": y\r\n\r\nx\r\n"
                    )
            session.rset()
        session.silence(0.05)
        session.quit()


def check_events(daemon):
    """Every line is an object of printable ASCII; no text in it holds a line end, escaped or not."""
    lines = daemon.raw_events().split(b"\n")
    assert lines[-1] == b""
    for line in lines[:-1]:
        assert re.fullmatch(rb"[\x20-\x7e]+", line), line
        event = json.loads(line)
        for text in strings(event):
            assert "\n" not in text and "\r" not in text, event
    return len(lines) - 1


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value[:16]))
def test_hostile_values(shared_host, value):
    host = shared_host(POLICY, settings={"smtpd_helo_required": "no"})
    trail = []
    probe(host.port, value, trail)
    assert check_events(host.daemon) > 0


def test_the_check_refused_with_our_lines_only(shared_host):
    """What a client says is said back cleaned, in the lines that the policy has, not one more."""
    host = shared_host(POLICY, doors=["milter"])
    for value in VALUES:
        with smtp.Smtp(host.port) as session:
            session.command(b"EHLO " + value)
            session.command(b"HELO " + value)
            session.mail()
            reply = session.rcpt("second@local.test")
            if reply.status == "5.7.1":
                assert len(reply.lines) <= 3 + (len(value) > 300) * 2
                assert re.match(r"[HR] ", reply.texts[0])


def test_concurrent_hostile_clients(shared_host):
    host = shared_host(POLICY)
    errors = []

    def client(part):
        try:
            for value in VALUES[part::4] * 2:
                probe(host.port, value, [])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=client, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert check_events(host.daemon) > 100
    # and nothing of one client's was said to another: each session's references are its own
    references = [event["reference"] for event in host.daemon.events() if event.get("reference")]
    assert len(references) == len(set(references))


def test_hostile_headers_are_neither_echoed_raw_nor_added(shared_host):
    host = shared_host(POLICY.replace("X-Hostile", "X-Other"))
    for value in VALUES:
        smtp.send(
            host.port,
            content=b"Subject: x\r\nX-Hostile: " + value + b"\r\n\r\nx\r\n",
            recipients=["user@local.test"],
        )
    for mail in host.sink.wait_mail(len(VALUES)):
        names = [line.split(":", 1)[0] for line in mail.headers().split("\n")]
        assert not [name for name in names if "replymilter" in name.lower()]
