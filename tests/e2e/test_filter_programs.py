"""The filters that mail hosts really have, from Debian's packages, behind replymilter: OpenDKIM, OpenDMARC, rspamd. And
miltertest, OpenDKIM's own MTA for tests, before it."""

import contextlib
import re
import time

from harness import programs
from harness.alone import Dns, run_alone
from harness.filter import CONTINUE, Filter, add_header, reply
from harness.net import wait_for
from harness.pair import STRANGER, delivered, mail

HELLO = "EHLO client.test"
INSIDER = "127.0.0.3"
PATTERN = "Subject=/the pattern of the test/"
# The domains are below "example": OpenDKIM's resolver knows by itself that there is nothing below "test".
REFUSING = "v=DMARC1; p=reject"
POLICY = """
site = { reference = true; help_url = "https://help.test/%{status}"; };
replies = { rules = ( { name = "spam"; when = { filter = "filter3"; };
  then = { mode = "replace"; code = 550; status = "5.7.1"; text = "This looks like spam, see %{help_url}."; }; } ); };
"""


def letter(domain, subject="hello"):
    return (
        f"From: Me <me@{domain}>\r\nTo: a@local.test\r\nSubject: {subject}\r\nDate: {time.strftime('%a, %d %b %Y %H:%M:%S +0000')}\r\n"
        f"Message-ID: <1@{domain}>\r\n\r\nHello.\r\n\r\nBye.\r\n"
    ).encode()


def steps(domain, content):
    return [HELLO, *mail("a@local.test", sender=f"me@{domain}", content=content), "QUIT"]


def unsigned(content):
    """Without what differs from one signature to the next."""
    return re.sub(rb"(?s)t=\d+;|\sb=[^;\n]*(\n\t [^\n]*)*|header\.b=\S+", b"", content)


def assert_delivered_alike(seen, count=1):
    direct, wrapped = ([unsigned(delivered(got.content)) for got in one.mails] for one in seen)
    assert len(direct) == count and wrapped == direct


def test_opendkim_opendmarc_and_rspamd(make_pair):
    """In a row, as a mail host has them: what they sign, add and refuse is the same, the refusals in better words."""

    def alone():
        key, record = programs.signing_key()
        Dns(
            {
                "s._domainkey.signed.example": (None, record),
                "_dmarc.signed.example": (None, REFUSING),
                "_dmarc.strict.example": (None, REFUSING),
                "signed.example": (INSIDER, None),
                "strict.example": (INSIDER, None),
                "free.example": (INSIDER, None),
            }
        )
        with contextlib.ExitStack() as ending:
            filters = [
                ending.enter_context(program)
                for program in (
                    programs.opendkim(key, "signed.example", "s", INSIDER),
                    programs.opendmarc(INSIDER),
                    programs.rspamd(PATTERN),
                )
            ]
            pair = make_pair(
                POLICY, milters=[(program.socket, program.socket) for program in filters]
            )
            ending.callback(pair.close)
            pair.start()
            signed = check_signing(pair)
            check_verifying(pair, signed)
            check_dmarc(pair)
            check_rspamd(pair)

    run_alone(alone)


def check_signing(pair):
    """A mail from within is signed, and the signature that left the chain is good. Returns the mail."""
    seen = pair.both(steps("signed.example", letter("signed.example")), source=INSIDER)
    assert_delivered_alike(seen)
    signed = seen[1].mails[0].content.replace(b"\n", b"\r\n")
    assert re.match(rb"DKIM-Signature: v=1; .*d=signed\.example; s=s;", signed)
    assert programs.run("sbin/opendkim-testmsg", input=signed).returncode == 0
    assert (
        programs.run("sbin/opendkim-testmsg", input=signed.replace(b"Hello", b"Hallo")).returncode
        != 0
    )
    return signed


def check_verifying(pair, signed):
    """The same mail coming from outside: OpenDMARC lets it pass, because it sees what OpenDKIM has added."""
    seen = pair.both(steps("signed.example", signed), source=STRANGER)
    assert_delivered_alike(seen)
    headers = seen[1].mails[0].headers()
    assert re.search(
        r"(?m)^Authentication-Results: mx\.test;\s+dkim=pass .*header\.d=signed\.example", headers
    )
    assert re.search(
        r"(?m)^Authentication-Results: mx\.test; dmarc=pass .*header\.from=signed\.example", headers
    )
    broken = pair.say(
        pair.wrapped, steps("signed.example", signed.replace(b"Hello", b"Hallo")), strict=True
    )
    assert broken.replies[-2].startswith(b"550-5.7.26 ") and broken.mails == []


def check_dmarc(pair):
    """The refusal has the status that senders know (RFC 7372), an explanation, and a reference that is in the log."""
    pair.daemon.forget_events()
    direct, wrapped = pair.both(steps("strict.example", letter("strict.example")))
    assert direct.replies[-2] == b"550 5.7.1 rejected by DMARC policy for strict.example\r\n"
    lines = wrapped.replies[-2].decode().splitlines()
    assert lines[0] == "550-5.7.26 rejected by DMARC policy for strict.example"
    assert len(lines) > 2 and "https://help.test/5.7.26" in wrapped.replies[-2].decode()
    event = pair.daemon.wait_event(filter="filter2")
    assert event["stage"] == "eom" and event["category"].startswith("auth")
    assert any(event["reference"] in line for line in lines[1:])


def check_rspamd(pair):
    direct, wrapped = pair.both(
        steps("free.example", letter("free.example", "it has the pattern of the test"))
    )
    assert direct.replies[-2] == b"554 5.7.1 Spam message rejected\r\n"
    assert re.match(
        rb"550[- ]5\.7\.1 This looks like spam, see https://help\.test/5\.7\.1\.\r\n",
        wrapped.replies[-2],
    )
    assert_delivered_alike(pair.both(steps("free.example", letter("free.example"))))


SCRIPT = """
conn = mt.connect(socket)
if conn == nil then error("no connection") end
if mt.conninfo(conn, "client.test", "192.0.2.1") ~= nil then error("conninfo") end
if mt.helo(conn, "client.test") ~= nil then error("helo") end
for turn = 1, 3 do
  mt.macro(conn, SMFIC_MAIL, "i", "turn" .. turn)
  if mt.mailfrom(conn, "<s@sender.test>") ~= nil then error("mailfrom") end
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error("mailfrom answered " .. mt.getreply(conn)) end
  mt.rcptto(conn, "<bad@local.test>")
  if mt.getreply(conn) ~= SMFIR_REPLYCODE then error("rcptto answered " .. mt.getreply(conn)) end
  mt.rcptto(conn, "<a@local.test>")
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error("rcptto answered " .. mt.getreply(conn)) end
  if mt.data(conn) ~= nil then error("data") end
  if mt.header(conn, "Subject", "turn " .. turn) ~= nil then error("header") end
  if mt.header(conn, "X-Gone", "away") ~= nil then error("header") end
  if mt.eoh(conn) ~= nil then error("eoh") end
  if mt.bodystring(conn, "Hello.\\r\\n") ~= nil then error("body") end
  if mt.eom(conn) ~= nil then error("eom") end
  if mt.getreply(conn) ~= SMFIR_ACCEPT and mt.getreply(conn) ~= SMFIR_CONTINUE then error("eom answered " .. mt.getreply(conn)) end
  if not mt.eom_check(conn, MT_HDRADD, "X-Added") then error("no header added") end
  if not mt.eom_check(conn, MT_HDRDELETE, "X-Gone") then error("no header deleted") end
  if not mt.eom_check(conn, MT_BODYCHANGE) then error("body not replaced") end
  if not mt.eom_check(conn, MT_RCPTADD, "<new@local.test>") then error("no recipient added") end
end
mt.disconnect(conn)
"""


def test_miltertest(make_daemon):
    """Another MTA than Postfix: three mails on a connection, one recipient refused in each, the message changed."""
    from harness.filter import add_recipient, change_header, replace_body

    edits = (
        add_header("X-Added", "1")
        + change_header(1, "X-Gone", "")
        + replace_body("new\r\n")
        + add_recipient("<new@local.test>")
    )
    script = {
        b"R": lambda _session, data: reply("550 5.7.1 No.")
        if data.startswith(b"<bad")
        else CONTINUE,
        b"E": edits + CONTINUE,
    }
    one = Filter(script)
    daemon = make_daemon(
        f'filters = ( {{ name = "one"; socket = "{one.socket}"; }} );', tables=False
    )
    try:
        daemon.start()
        status, said = programs.miltertest(SCRIPT, socket=f"unix:{daemon.socket}")
        assert status == 0, said
        wait_for(
            lambda: one.sessions and one.sessions[0].ended, "the end of the filter's connection"
        )
        assert len(one.sessions) == 1
        assert one.sessions[0].order().strip(b"OCHAQ").count(b"E") == 3
    finally:
        one.close()
