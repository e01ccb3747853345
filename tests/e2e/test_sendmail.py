"""The milter door behind a real Sendmail: exact replies, what it sees and does not see, and what becomes of it when it fails.

Where Sendmail differs from Postfix is in doc/sendmail.md; a test here holds each of these differences.
"""

import contextlib
import json
import os
import re
import socket
import time
import types

import pytest
from harness import smtp
from harness.filter import (
    ACCEPT,
    CONTINUE,
    DISCARD,
    REJECT,
    TEMPFAIL,
    Filter,
    add_header,
    add_recipient,
    change_header,
    change_sender,
    delete_recipient,
    die,
    insert_header,
    replace_body,
    reply,
)
from harness.net import slow, wait_for
from harness.pair import KEEP, Told, mail, talk, told
from harness.replymilter import Replymilter, replyctl
from harness.sendmail import HOSTNAME, INSIDE, INSIDER, STRANGER, Sendmail, SendmailHost, milter
from harness.sink import Sink
from test_bounces import FEEDBACK, FORGED, body, dsn, group, plain, report, tags

NOT_HERE = "550 5.7.1 <user@local.test>... Not here."


def check(when, then='code = 550; status = "5.7.1"; text = "Not here."', name="the-check"):
    return f'checks = ( {{ name = "{name}"; when = {{ {when} }}; then = {{ {then} }}; }} );'


Makers = types.SimpleNamespace(sendmail=Sendmail, daemon=Replymilter, sink=Sink)


def send(host, **options):
    return smtp.send(host.port, **({"source": STRANGER} | options))


# ---- what we refuse


@pytest.mark.parametrize(
    "when, mail",
    [
        ('client = "127.0.0.5";', {"source": "127.0.0.5"}),
        ('client_name = "client.test";', {}),
        (r'helo = "/^local(host)?$/i";', {"helo": "LocalHost"}),
    ],
)
def test_connect_and_helo_speak_at_every_recipient(shared_sendmail_host, when, mail):
    host = shared_sendmail_host(check(when))
    with smtp.Smtp(host.port, source=mail.get("source", STRANGER)) as session:
        assert session.ehlo(mail.get("helo", "client.example")).code == 250
        for sender in ("one@sender.test", "two@sender.test"):
            assert session.mail(sender).code == 250
            for recipient in ("user@local.test", "second@local.test"):
                assert session.rcpt(recipient).wire_lines == [f"550 5.7.1 <{recipient}>... Not here."]
            session.rset()
        session.quit()
    events = host.daemon.wait_events(4, door="milter")
    assert [(event["sender"], event["recipient"]) for event in events] == [
        (f"{sender}@sender.test", f"{recipient}@local.test")
        for sender in ("one", "two")
        for recipient in ("user", "second")
    ]
    for event in events:
        assert (event["event"], event["stage"], event["check"]) == ("refusal", "rcpt", "the-check")
        assert event["final"] == {"code": 550, "status": "5.7.1", "text": "Not here."}
    assert send(host, source="127.0.0.7")["end"].code == 250


AT_ONCE = 'code = 550; status = "5.7.1"; text = "Not here."; at_once = true'


def test_at_once(shared_sendmail_host):
    host = shared_sendmail_host(check('helo = "localhost";', AT_ONCE))
    assert send(host, helo="localhost")["mail"].wire_lines == ["550 5.7.1 Not here."]
    assert host.daemon.wait_event(door="milter")["stage"] == "helo"


def test_at_once_at_connect_loses_its_text(shared_sendmail_host):
    host = shared_sendmail_host(check(f'client = "{STRANGER}";', AT_ONCE))
    with smtp.Smtp(host.port, source=STRANGER) as session:
        assert session.banner.wire_lines == ["554 smx.test ESMTP not accepting messages"]
        session.ehlo()
        assert session.mail().wire_lines == ["550 5.0.0 Command rejected"]
    event = host.daemon.wait_event(door="milter")
    assert (event["client"]["addr"], event["stage"]) == (STRANGER, "connect")


@pytest.mark.parametrize(
    "when, mail, stage, reply",
    [
        ('sender = "*@Bad.test";', {"sender": "x@bad.TEST"}, "mail", "550 5.7.1 <x@bad.TEST>... Not here."),
        ('sender = "";', {"sender": ""}, "mail", "550 5.7.1 <>... Not here."),
        ('recipient = "user@local.test";', {}, "rcpt", NOT_HERE),
        ('stage = "data"; sender = "s@sender.test";', {}, "data", "550 5.7.1 Not here."),
        ('header = "Subject: *lottery*";', {"content": "Subject: a\r\n\tlottery\r\n\r\nx\r\n"}, "eom", "550 5.7.1 Not here."),
        ('size = ">10000";', {"content": "Subject: big\r\n\r\n" + 300 * (70 * "x" + "\r\n")}, "eom", "550 5.7.1 Not here."),
    ],
    ids=["sender", "null-sender", "recipient", "data", "header", "size"],
)  # fmt: skip
def test_each_stage(shared_sendmail_host, when, mail, stage, reply):
    host = shared_sendmail_host(check(when))
    got = send(host, **mail)
    replies = {"mail": got["mail"], "rcpt": (got["rcpt"] or [None])[0], "data": got["data"], "eom": got["end"]}
    assert replies[stage].wire_lines == [reply]
    event = host.daemon.wait_event(door="milter")
    assert event["stage"] == stage and event["queue_id"]
    assert event["client"] == {"addr": STRANGER, "name": "client.test", "helo": "client.test"}
    assert send(host, recipients=["third@local.test"], sender="good@sender.test")["end"].code == 250


# Sendmail puts the address before the text of these codes only.
@pytest.mark.parametrize(
    "code, status, prefix",
    [
        (450, "4.7.1", "<user@local.test>... "),
        (451, "4.3.0", ""),
        (452, "4.2.2", ""),
        (550, "5.1.1", "<user@local.test>... "),
        (551, "5.1.6", ""),
        (552, "5.2.2", ""),
        (553, "5.1.3", "<user@local.test>... "),
        (554, "5.6.0", ""),
        (421, "4.7.0", ""),
    ],
)
def test_exact_codes(shared_sendmail_host, code, status, prefix):
    host = shared_sendmail_host(check('recipient = "user@local.test";', f'code = {code}; status = "{status}"; text = "So it is."'))
    with smtp.Smtp(host.port, source=STRANGER) as session:
        session.ehlo()
        session.mail()
        assert session.rcpt("user@local.test").wire_lines == [f"{code} {status} {prefix}So it is."]
    event = host.daemon.wait_event(door="milter")
    assert event["final"] == {"code": code, "status": status, "text": "So it is."}


def quoted(texts):
    return ", ".join(f'"{text}"' for text in texts)


@pytest.mark.parametrize("when, stage", [('recipient = "*";', "rcpt"), ('header = "Subject: *";', "end")])
def test_many_lines_percent_and_dollar(shared_sendmail_host, when, stage):
    """The address stands in the first line only. Sendmail takes the reply as a format."""
    texts = ["100% sure: %s %d %n %", "$5 ${sender} $$ $&{client_addr}", "a 'quoted' <word>", *map("Line {}.".format, range(17))]
    host = shared_sendmail_host(check(when, f'code = 550; status = "5.7.1"; text = [ {quoted(texts)} ]'))
    got = send(host)
    reply = got["rcpt"][0] if stage == "rcpt" else got["end"]
    prefix = "<user@local.test>... " if stage == "rcpt" else ""
    assert reply.wire_lines == [
        f"550{' ' if text is texts[-1] else '-'}5.7.1 {prefix if text is texts[0] else ''}{text}" for text in texts
    ]


def test_a_long_text_leaves_room_for_the_address(shared_sendmail_host):
    """No line is longer than 510 octets, whatever Sendmail puts before it; the client checks that."""
    recipient = "a" * 60 + "@local.test"
    text = " ".join(["word"] * 300)
    host = shared_sendmail_host(check('recipient = "*";', f'code = 550; status = "5.7.1"; text = "{text}"'))
    reply = send(host, recipients=["user@local.test", recipient])["rcpt"][0]
    assert len(reply.lines) > 2 and reply.text == f"<user@local.test>... {text}"


def test_seven_bits(shared_sendmail_host):
    """Sendmail cuts off the eighth bit of each octet; what came from the client is clean before."""
    host = shared_sendmail_host(check('sender = "*@bad.test";', 'code = 550; status = "5.7.1"; text = "No %{sender} here."'))
    with smtp.Smtp(host.port, source=STRANGER, strict=False) as session:
        session.ehlo()
        reply = session.command("MAIL FROM:<josé@bad.test> BODY=8BITMIME")
    line = reply.wire_lines[0].split("... ", 1)[1]
    assert re.fullmatch(r"No jos[?]+@bad\.test here\.", line)


def test_a_code_without_text_is_never_sent(shared_sendmail_host):
    """Sendmail would send what its memory holds behind it. A text of which nothing is left gives way to a sentence of ours."""
    host = shared_sendmail_host(check('recipient = "*";', 'code = 550; status = "5.7.1"; text = "%{sender}"'))
    reply = send(host, sender="")["rcpt"][0]
    assert reply.wire_lines == ["550 5.7.1 <user@local.test>... mailbox unavailable, or refused by policy"]


def test_what_variables_say(shared_sendmail_host):
    policy = 'site = { help_url = "https://help.test/%{status}"; reference = true; };' + check(
        'recipient = "user@local.test";',
        'code = 550; status = "5.7.1"; text = [ "%{client_addr} %{client_name} %{helo} %{sender}", '
        '"%{recipient} %{hostname} %{code} %{status}", "%{reference} %{help_url}", "%{queue_id}" ]',
    )
    host = shared_sendmail_host(policy)
    reply = send(host, helo="my.test")["rcpt"][0]
    event = host.daemon.wait_event(door="milter")
    assert reply.texts == [
        "<user@local.test>... 127.0.0.2 client.test my.test s@sender.test",
        "user@local.test smx.test 550 5.7.1",
        f"{event['reference']} https://help.test/5.7.1",
        event["queue_id"],
    ]


def test_quarantine(shared_sendmail_host):
    host = shared_sendmail_host(check('header = "Subject: *hold*";', 'action = "quarantine"'))
    assert send(host, content="Subject: hold this\r\n\r\nx\r\n")["end"].code == 250
    queue_id = host.daemon.wait_event(door="milter")["queue_id"]
    # "hf" is where a quarantined message's envelope is
    wait_for(lambda: f"hf{queue_id}" in host.sendmail.queued(), lambda: f"hf{queue_id} in {host.sendmail.queued()}")
    assert send(host)["end"].code == 250
    assert "Subject: test" in host.sink.wait_mail()[0].text
    for kind in ("hf", "df"):
        os.unlink(os.path.join(host.sendmail.queue, kind + queue_id))


def test_discard(shared_sendmail_host):
    host = shared_sendmail_host(check('sender = "robot@sender.test";', 'action = "discard"'))
    mark = host.sendmail.mark()
    assert send(host, sender="robot@sender.test")["end"].code == 250
    host.sendmail.wait_log("Milter: from=<robot@sender.test>, discard", mark)
    assert send(host)["end"].code == 250
    assert host.sink.wait_mail()[0].sender == "s@sender.test"
    assert host.daemon.wait_event()["sender"] == "robot@sender.test"


def test_421_is_the_end_of_the_session(shared_sendmail_host):
    host = shared_sendmail_host(check('recipient = "user@local.test";', 'code = 421; status = "4.7.0"; text = "Later."'))
    with smtp.Smtp(host.port, source=STRANGER) as session:
        session.ehlo()
        session.mail()
        assert session.rcpt("user@local.test").wire_lines == ["421 4.7.0 Later."]
        with pytest.raises((smtp.Closed, ConnectionError)):
            session.command("NOOP")


# ---- what Sendmail refuses


def test_an_unknown_user_is_an_event(shared_sendmail_host):
    host = shared_sendmail_host()
    got = send(host, recipients=["nouser@local.test", "user@local.test"])
    assert got["rcpt"][0].wire_lines == ["550 5.1.1 <nouser@local.test>... User unknown"]
    assert got["end"].code == 250
    event = host.daemon.wait_event(event="refusal")
    assert event["client"] == {"addr": STRANGER, "name": "client.test", "helo": "client.test"}
    assert (event["stage"], event["sender"], event["recipient"]) == ("rcpt", "s@sender.test", "nouser@local.test")
    assert event["original"] == event["final"] == {"code": 550, "status": "5.1.1", "text": "User unknown"}
    assert (event["category"], event["permanent"], event["changed"]) == ("user-unknown", True, False)
    assert event["queue_id"] in host.sendmail.log()


def test_other_refusals_of_its_own_are_not_shown(shared_sendmail_host):
    """The access database, relaying, error mailers of the rules (virtusertable, mailertable): no milter is told of these."""
    host = shared_sendmail_host()
    got = send(host, recipients=["x@else.test", "listed@local.test", "full@local.test", "later@local.test", "user@local.test"])
    assert [reply.code for reply in got["rcpt"]] == [550, 550, 552, 450, 250]
    assert send(host, sender="listed@sender.test")["mail"].code == 550
    assert send(host, recipients=["nouser@local.test"])["rcpt"][0].code == 550
    assert host.daemon.wait_event(event="refusal")["recipient"] == "nouser@local.test"


def test_an_answer_cannot_change_a_refusal(shared_sendmail_host):
    """A check that matches what Sendmail refused anyway says nothing: the log would tell of a reply that nobody got."""
    host = shared_sendmail_host(check('recipient = "nouser@local.test";'))
    mark = host.sendmail.mark()
    assert send(host, recipients=["nouser@local.test"])["rcpt"][0].wire_lines == [
        "550 5.1.1 <nouser@local.test>... User unknown"
    ]
    event = host.daemon.wait_event(event="refusal")
    assert not event.get("check") and event["final"]["text"] == "User unknown"
    assert "Not here" not in host.sendmail.log(mark)


# ---- reports that come in

TAG = f'site = {{ hostname = "{HOSTNAME}"; }}; bounces = {{ tag = true; }};'


@pytest.mark.parametrize(
    "content, kind, category",
    [
        (dsn(), "failure", "user-unknown"),
        (dsn(group(text="450 4.2.2 mailbox full", status="4.2.2", action="delayed")), "delay", "mailbox-full"),
        (FEEDBACK, "feedback", "feedback-report"),
        (plain("Out of office", Auto_Submitted="auto-replied"), "auto-reply", "auto-reply"),
    ],
    ids=["failure", "delay", "feedback", "auto-reply"],
)
def test_reports_are_told_of_and_tagged(shared_sendmail_host, content, kind, category):
    host = shared_sendmail_host(TAG)
    mail = report(host, content, source=STRANGER)
    found = tags(mail)
    assert found[:2] == [("X-Bounce-Kind", f"{HOSTNAME}; {kind}"), ("X-Bounce-Category", f"{HOSTNAME}; {category}")]
    assert body(mail) == content.split("\r\n\r\n", 1)[1].replace("\r\n", "\n").encode()
    names = re.findall(r"(?m)^([A-Za-z-]+):", mail.headers())
    assert names.index("X-Bounce-Kind") < names.index("From")
    event = host.daemon.wait_event()
    assert (event["event"], event["category"], event["proof"]) == (kind, category, "none")
    assert event["queue_id"] and event["queue_id"] in host.sendmail.log()


def test_each_recipient_of_a_report_has_its_headers(shared_sendmail_host):
    host = shared_sendmail_host(TAG)
    mail = report(host, dsn(group(), group("eve@far.test", "552 5.2.2 mailbox full", "5.2.2")), source=STRANGER)
    assert tags(mail) == [
        (f"X-Bounce-{name}", f"{HOSTNAME}; {value}")
        for name, value in (
            ("Kind", "failure"),
            ("Category", "user-unknown"),
            ("Action", "review"),
            ("Recipient", "jo@far.test"),
            ("Status", "5.1.1"),
            ("Kind", "failure"),
            ("Category", "mailbox-full"),
            ("Action", "retry"),
            ("Recipient", "eve@far.test"),
            ("Status", "5.2.2"),
        )
    ]


def test_headers_in_our_name_are_removed_first(shared_sendmail_host):
    host = shared_sendmail_host(TAG)
    forged = FORGED.replace("mx.test", HOSTNAME).replace("MX.Test", HOSTNAME.upper())
    others = [("X-Bounce-Category", "other.test; spam"), ("X-Bounce-Category", f"third.test; {HOSTNAME}")]
    found = tags(report(host, dsn(headers=forged), source=STRANGER))
    assert found[5:] == others
    assert [value for _, value in found[:3]] == [f"{HOSTNAME}; {word}" for word in ("failure", "user-unknown", "review")]
    assert tags(report(host, forged + plain(), source=STRANGER)) == others


def test_mail_that_reports_nothing_is_let_be(shared_sendmail_host):
    host = shared_sendmail_host(TAG)
    for sender, content in (("", plain()), ("s@sender.test", dsn())):
        assert tags(report(host, content, sender=sender, source=STRANGER)) == []
    assert host.daemon.events() == []


# ---- failures


@pytest.mark.parametrize("failure, code", [("", 250), ("T", 451)])
def test_when_the_daemon_is_not_there(make_sendmail_host, failure, code):
    """F= lets the mail pass, F=T makes it wait. Sendmail looks for the socket again at each connection."""
    policy = check('recipient = "second@local.test";')
    host = make_sendmail_host(policy, failure, start=False)
    host.sendmail.start()
    got = send(host, recipients=["second@local.test"])
    assert got["mail"].code == code and (code == 250) == (got["end"] is not None)
    assert code == 250 or got["mail"].wire_lines == ["451 4.3.2 Please try again later"]
    host.daemon.start()
    with smtp.Smtp(host.port, source=STRANGER) as session:
        session.ehlo()
        session.mail()
        assert session.rcpt("second@local.test").code == 550
        assert session.rcpt("user@local.test").code == 250
        host.daemon.kill()
        assert session.rcpt("third@local.test").code == code
        assert session.data().code == (354 if code == 250 else code)
        if code == 250:
            assert session.message().code == 250
        session.quit()
    assert send(host)["mail"].code == code
    assert host.daemon.wait_event()["recipient"] == "second@local.test"


def test_stop_lets_the_message_end(make_sendmail_host):
    host = make_sendmail_host(check('header = "Subject: *bad*";'), "T")
    with smtp.Smtp(host.port, source=STRANGER) as session:
        session.ehlo()
        session.mail()
        session.rcpt("user@local.test")
        session.data()
        host.daemon.process.terminate()
        time.sleep(slow(0.2))
        assert session.message("Subject: bad\r\n\r\nx\r\n").wire_lines == ["550 5.7.1 Not here."]
        session.quit()
    host.daemon.stop()


def make_link(run):
    os.symlink("replymilter.sock", f"{run}/link")


def make_writable(run):
    os.chmod(run, 0o775)


@pytest.mark.parametrize(
    "path, make, reason",
    [
        ("link", make_link, "Symbolic links not allowed"),
        ("replymilter.sock", make_writable, "Group writable directory"),
    ],
)
def test_sendmail_does_not_start_with_a_socket_that_it_does_not_trust(make_sendmail, make_sink, path, make, reason):
    sendmail = make_sendmail(make_sink().port, filters={"replymilter": milter(path=path)})
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sendmail.path("run/replymilter.sock"))
        make(sendmail.path("run"))
        with pytest.raises(AssertionError, match=f"local socket name .* unsafe: {reason}"):
            sendmail.start()


# ---- filters behind us


class Beside:
    """Two filters of ours behind replymilter at `host`, and the same two attached to another Sendmail, `direct`."""

    def __init__(self, make_host, make_sendmail, policy, each):
        self.filters = [Filter() for _ in range(2)]
        names = ["filter1", "filter2"]
        self.direct = make_sendmail(None, filters={name: milter("T", f"{name}.sock") for name in names})
        for name, one in zip(names, self.filters):
            one.move(self.direct.path(f"run/{name}.sock"), mode=0o600)
        listed = ", ".join(
            f'{{ name = "{name}"; socket = "{one.socket}"; {each} }}' for name, one in zip(names, self.filters)
        )
        self.host = make_host(f"{policy} filters = ( {listed} );", "T")
        self.direct.sink = self.host.sink.port
        self.direct.start()

    def say(self, sendmail, steps, *wants):
        """(what the client heard, what was delivered, what the filters were told)"""
        for number, one in enumerate(self.filters):
            want = wants[number] if number < len(wants) else {}
            one.reset(**want if "script" in want else {"script": want})
        del self.host.sink.mails[:]
        replies = talk(sendmail.port, steps)
        told = [Told([session for session in one.settle() if self.is_ours(session)]) for one in self.filters]
        wait_for(lambda: not sendmail.queued(), lambda: f"the queue to be empty: {sendmail.queued()}", step=0.005)
        mails = sorted((got.recipients, self.plain(got.content)) for got in self.host.sink.mails)
        return [reply and self.plain(reply) for reply in replies], mails, told

    def both(self, steps, *wants):
        return [self.say(sendmail, steps, *wants) for sendmail in (self.direct, self.host.sendmail)]

    @staticmethod
    def is_ours(session):
        """Not that of the look whether Sendmail is there, which may come late."""
        return any(STRANGER.encode() in data for command, data in session.told if command == b"C")

    @staticmethod
    def plain(text):
        """Without ids and times."""
        text = re.sub(rb"\b\w{8}\d{6}\b", b"ID", text)
        return re.sub(rb"(?m)(\w{3}, \d+ \w{3} \d{4} [\d:]{8} [-+ \w()]+|\d{12}\.)", b"TIME", text)


@pytest.fixture
def beside(make_sendmail_host, make_sendmail, request):
    def made(policy=KEEP, each=""):
        both = Beside(make_sendmail_host, make_sendmail, policy, each)
        for one in both.filters:
            request.addfinalizer(one.close)
        return both

    return made


DIALOG = ["EHLO client.test", *mail("user@local.test", "nosuch@local.test", "second@local.test"), "QUIT"]
# An answer without a text gets Postfix's words, and the 5.7.1 that Sendmail has at some stages only.
WORDLESS = {
    rb"5[05][04] 5\.[07]\.[01] (<\S+> ?\.\.\. )?Command rejected": b"rejected",
    rb"451 4\.3\.2 Please try again later": b"later",
    rb"451 4\.7\.1 Service unavailable - try again later": b"later",
}


def without_words(replies):
    for pattern, word in WORDLESS.items():
        replies = [line and re.sub(pattern, word, line) for line in replies]
    return replies


def test_answers_of_wrapped_filters(beside):
    """At each stage a client hears, and its recipients get, what they would with the filters attached to Sendmail itself."""
    both = beside()
    answers = {
        "550": reply("550-5.7.1 Not here.\r\n550 5.7.1 100%% sure."),
        "450": reply("450 4.7.1 Not now."),
        "421": reply("421 4.7.0 Goodbye."),
        "accept": ACCEPT,
        "discard": DISCARD,
        "reject": REJECT,
        "tempfail": TEMPFAIL,
    }
    for stage in (b"C", b"H", b"M", b"R", b"T", b"L", b"E"):
        for name, answer in answers.items():
            if stage in b"CH" and name not in ("550", "accept"):
                continue  # a refusal is bare there anyway, and said to each command or to MAIL only
            if stage in b"ML" and name not in ("550", "discard"):
                continue  # like the next
            direct, wrapped = both.both(DIALOG, {stage: answer})
            assert without_words(wrapped[0]) == without_words(direct[0]), (stage, name)
            assert wrapped[1] == direct[1], (stage, name)
            for ours, theirs in zip(wrapped[2], direct[2]):
                if stage not in b"CH":
                    assert told(ours) == told(theirs), (stage, name)


def test_changes_and_macros_of_wrapped_filters(beside):
    """What two filters do to a mail one after the other is the same to the octet; each gets the macros that it asked for."""
    both = beside()
    content = b"Subject: hello\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Fold: a\r\n\tb\r\n\r\nHello.\r\n"
    first = [
        insert_header(1, "X-Inserted", "1"),
        change_header(2, "X-Twice", ""),
        change_header(1, "Subject", "changed\n\tfolded"),
        add_recipient("<third@local.test>"),
        delete_recipient("<second@local.test>"),
        replace_body("Another body.\r\n"),
    ]
    second = [add_header("X-Last", "2"), change_sender("<other@sender.test>")]
    macros = [
        {0: "j {client_addr} {if_addr}", 2: "i {mail_addr}", 3: "{rcpt_addr}", 5: "i {msg_id}"},
        {0: "{daemon_name}", 1: "{server_name}", 2: "i {auth_type}", 5: "i"},
    ]
    wants = [
        {"script": {b"E": b"".join(changes) + CONTINUE}, "macros": asked}
        for changes, asked in zip((first, second), macros)
    ]
    steps = [*DIALOG[:-2], content, "QUIT"]
    direct, wrapped = both.both(steps, *wants)
    assert wrapped[:2] == direct[:2]
    assert sorted(sum((recipients for recipients, _ in wrapped[1]), [])) == ["third@local.test", "user@local.test"]
    assert all(b"X-Inserted: 1" in content and b"X-Last: 2" in content for _, content in wrapped[1])
    for asked, ours, theirs in zip(macros, wrapped[2], direct[2]):
        for stage, names in asked.items():
            letter = b"CHMRTE"[stage : stage + 1]
            for name in set(names.split()) & set(theirs.macros(letter)):
                assert Beside.plain(ours.macros(letter)[name]) == Beside.plain(theirs.macros(letter)[name]), name


@pytest.mark.parametrize(
    "on_failure, heard", [("tempfail", b"451 4.3.0 "), ("reject", b"554 5.3.0 "), ("accept", b"250 ")]
)
def test_wrapped_filters_that_fail(beside, on_failure, heard):
    """Down, or dead in the middle: the mail is treated as on_failure says, by whom it may concern."""
    both = beside(KEEP, f'timeout = 5.0; on_failure = "{on_failure}";')
    healthy = {b"E": add_header("X-Second", "2") + CONTINUE}
    for stage, last in ((b"R", 3), (b"E", -2)):
        replies, mails, _ = both.say(both.host.sendmail, DIALOG, {stage: die}, healthy)
        assert replies[last].startswith(heard), (stage, replies)
        assert len(mails) == (1 if on_failure == "accept" else 0)
    both.filters[0].shut()
    replies, mails, _ = both.say(both.host.sendmail, DIALOG, {}, healthy)
    assert replies[2].startswith(heard), replies
    assert all(b"X-Second: 2" in content for _, content in mails)
    failures = both.host.daemon.wait_events(3, event="filter-failure", filter="filter1")
    assert failures[-1]["on_failure"] == on_failure


def test_a_wrapped_filter(make_sendmail_host, request):
    """What Sendmail would replace, cut or send as a leak is repaired before it; what is good passes."""
    filter_ = Filter()
    request.addfinalizer(filter_.close)
    policy = (
        'site = { reference = false; }; replies = { default = "repair"; };'
        f'filters = ( {{ name = "wrapped"; socket = "{filter_.socket}"; }} );'
    )
    host = make_sendmail_host(policy, "T")
    for said, heard in (
        ("550 5.7.1 good", "550 5.7.1 <user@local.test>... good"),
        ("550 5.7.1 100%% sure", "550 5.7.1 <user@local.test>... 100% sure"),
        ("550 5.7.1 100% sure", "550 5.7.1 <user@local.test>... 100% sure"),
        ("451 5.7.1 later", "451 4.7.1 later"),
        ("550 5.7.1 fünf", "550 5.7.1 <user@local.test>... funf"),
    ):
        filter_.reset({b"R": reply(said)})
        assert send(host)["rcpt"][0].wire_lines == [heard], said
    filter_.reset({b"R": reply("550")})
    assert re.fullmatch(r"550 5\.\d\.\d <user@local\.test>\.\.\. [A-Za-z][ -~]+", send(host)["rcpt"][0].wire_lines[0])
    filter_.reset({b"E": add_header("X-Filter", "was here") + CONTINUE})
    assert send(host)["end"].code == 250
    assert "X-Filter: was here" in host.sink.wait_mail()[0].headers()


# ---- as `replyctl sendmail` sets it up


@pytest.fixture
def host_by_replyctl(make_sendmail, make_daemon, make_sink, tmp_path):
    """host_by_replyctl(policy): a Sendmail with the lines that replyctl prints for a policy with these sockets."""

    def host(policy):
        sockets = "".join(
            f'{name} = {{ socket = "unix:{INSIDE}/run/{socket_}.sock"; }};\n'
            for name, socket_ in (("milter", "replymilter"), ("tables", "replymilter-tables"))
        )
        (tmp_path / "policy").write_text(sockets + policy)
        told = replyctl("sendmail", "-c", tmp_path / "policy", "--ruleset").stdout
        milter_lines, rules = re.split("(?m)^(?=LOCAL_CONFIG)", told)
        make = types.SimpleNamespace(sendmail=make_sendmail, daemon=make_daemon, sink=make_sink)
        return SendmailHost(make, policy, filters={}, m4=milter_lines, rules=rules).start()

    return host


def test_its_own_refusals_in_our_words(host_by_replyctl):
    policy = """
    site = { contact = "help@smx.test"; };
    replies = { rules = (
      { name = "listed"; when = { text = "*access db*"; stage = "rcpt"; };
        then = { mode = "replace"; code = 554; status = "5.7.8"; text = [ "You are \\"listed\\": 100% (sure), $1.", "https://x.test/a?b=1;c" ]; }; } ); };
    """ + check('recipient = "second@local.test";')
    host = host_by_replyctl(policy)
    got = send(host, recipients=["x@else.test", "listed@local.test", "second@local.test", "nouser@local.test", "user@local.test"])
    relay, listed, second, nouser, user = got["rcpt"]
    event = host.daemon.wait_event(category="relay-denied")
    assert len(relay.wire_lines) == 1 and relay.wire_lines[0].startswith("550 5.7.1 <x@else.test>... Relaying denied - ")
    assert relay.wire_lines[0].endswith(f" Reference: {event['reference']}") and "help@smx.test" in relay.wire_lines[0]
    assert (event["door"], event["stage"], event["changed"]) == ("reject", "rcpt", True)
    assert relay.text == f"<x@else.test>... {event['final']['text']}"
    (event,) = host.daemon.events(rule="listed")
    assert listed.wire_lines == [
        f"554 5.7.8 You are 'listed': 100% (sure), $1. https://x.test/a?b=1;c - Reference: {event['reference']}"
    ]
    assert second.wire_lines == ["550 5.7.1 <second@local.test>... Not here."]
    assert nouser.wire_lines == ["550 5.1.1 <nouser@local.test>... User unknown"]
    assert user.code == 250 and got["end"].code == 250
    host.daemon.stop()
    got = send(host, recipients=["x@else.test", "listed@local.test", "user@local.test"])
    assert [reply.wire_lines[0] for reply in got["rcpt"][:2]] == [
        "550 5.7.1 <x@else.test>... Relaying denied",
        "550 5.7.1 <listed@local.test>... access db says no",
    ]
    assert got["end"].code == 250


# ---- what Sendmail logs and what it sends back

NOTES = 'log = { addresses = "plain"; };\n'


def rows(*arguments):
    return [json.loads(line) for line in replyctl(*arguments).stdout.splitlines()]


def deliver(host, *recipients, pattern, source=INSIDER):
    """Has a mail for these sent; waits for a line of the log for each of them."""
    mark = host.sendmail.mark()
    content = "Subject: x\r\nMessage-ID: <1@sender.test>\r\n\r\nHello.\r\n"
    assert send(host, source=source, recipients=recipients, content=content)["end"].code == 250
    host.sendmail.wait_log(pattern, mark, count=len(recipients))


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The log of a day in the life of a Sendmail, and the bounces that it made: `log`, `bounces`, `policy` (paths)."""
    folder = tmp_path_factory.mktemp("story")
    policy = 'checks = ( { name = "word"; when = { recipient = "second@local.test"; }; then = { code = 550; status = "5.7.1"; ' \
        f'text = "No {1000 * "x "}"; }}; }}, ' \
        '{ name = "bad"; when = { header = "Subject: *bad*"; }; then = { code = 554; status = "5.7.1"; text = "A virus was found."; }; } );'
    with contextlib.closing(SendmailHost(Makers, policy)) as host:
        host.start()
        host.sink.refusals = {
            "gone@far.test": b"550-5.1.1 <gone@far.test>:\r\n550 5.1.1 User unknown",
            "spam@far.test": b"554 5.7.1 Spam; see https://x.test/y, reject=550 stat=Sent",
            "full@far.test": b"452 4.2.2 mailbox full",
        }
        deliver(host, "gone@far.test", "spam@far.test", "full@far.test", "good@far.test", pattern="to=.*@far.test>, .*stat=")
        deliver(host, "a@closed.test", pattern="stat=Deferred: Connection refused")
        deliver(host, "a@else.test", pattern="stat=Host unknown")
        refused = ["nouser@local.test", "listed@local.test", "second@local.test", "x@else.test"]
        assert send(host, recipients=refused)["end"] is None
        assert send(host, content="Subject: bad\r\n\r\nx\r\n")["end"].code == 554
        assert send(host, sender="listed@sender.test")["mail"].code == 550
        host.sendmail.pipe("me@sender.test", "nouser@local.test")
        time.sleep(2.1)  # Sendmail counts whole seconds, and wants more than one
        host.sendmail.run("-q", "-OTimeout.queuewarn=1s")
        host.sink.wait_mail(4, recipient="s@sender.test")
        host.sendmail.run("-q", "-OTimeout.queuereturn=1s")
        host.sink.wait_mail(6, recipient="s@sender.test")
        host.sink.wait_mail(recipient="me@sender.test")
        (folder / "mail.log").write_text(host.sendmail.log())
        for number, mail in enumerate(mail for mail in host.sink.mails if mail.sender == ""):
            (folder / f"{number}.eml").write_bytes(mail.content)
        # Sendmail's own bounces pass no milter
        assert {event["event"] for event in host.daemon.events()} == {"refusal"}
    (folder / "policy").write_text(NOTES)
    return folder


def test_follow_tells_of_each_failure(story):
    events = rows("follow", "-c", story / "policy", "--once", story / "mail.log")
    assert sorted((event["event"], event["recipient"], event["category"], event["permanent"]) for event in events) == [
        ("delay", "a@closed.test", "network-error", False),
        ("delay", "full@far.test", "mailbox-full", False),
        ("failure", "a@closed.test", "network-error", False),
        ("failure", "a@else.test", "domain-unknown", True),
        ("failure", "full@far.test", "mailbox-full", False),
        ("failure", "gone@far.test", "user-unknown", True),
        ("failure", "nouser@local.test", "user-unknown", True),
        ("failure", "spam@far.test", "spam", False),
    ]
    event = next(event for event in events if event["recipient"] == "spam@far.test")
    assert (event["sender"], event["message_id"], event["proof"]) == ("s@sender.test", "1@sender.test", "own-mta")
    assert event["original"] == {"code": 554, "status": "5.7.1", "text": "Spam; see https://x.test/y, reject=550 stat=Sent"}
    assert (event["door"], event["reporting_mta"]) == ("log", "smx.test")


def test_classify_reads_the_log(story):
    found = {(row["recipient"], row["code"], row["status"], row["category"]) for row in rows("classify", "--json", story / "mail.log")}
    assert found >= {
        ("nouser@local.test", None, "5.1.1", "user-unknown"),
        ("listed@local.test", 550, "5.7.1", "policy"),
        ("second@local.test", 550, "5.7.1", "policy"),
        ("x@else.test", 550, "5.7.1", "relay-denied"),
        (None, 554, "5.7.1", "virus"),
        (None, 550, "5.7.1", "access-denied"),
        ("gone@far.test", 550, "5.1.1", "user-unknown"),
    }
    assert not {recipient for recipient, *_ in found} & {"good@far.test", "user@local.test", "s@sender.test"}


def test_classify_reads_its_bounces(story):
    found = rows("classify", "--json", story)
    mails = [row for row in found if row["file"].endswith(".eml")]
    assert sorted((row["kind"], row["recipient"], row["code"], row["status"], row["category"]) for row in mails) == [
        ("delay", "a@closed.test", None, "4.4.1", "network-error"),
        ("delay", "full@far.test", 452, "4.2.2", "mailbox-full"),
        ("failure", "a@closed.test", None, "4.4.7", "network-error"),
        ("failure", "a@else.test", 550, "5.1.2", "domain-unknown"),
        ("failure", "full@far.test", 452, "4.2.2", "mailbox-full"),
        ("failure", "gone@far.test", 550, "5.1.1", "user-unknown"),
        ("failure", "nouser@local.test", 550, "5.1.1", "user-unknown"),
        ("failure", "spam@far.test", 554, "5.7.1", "spam"),
    ]
    assert {(row["reporting_mta"], row["confidence"]) for row in mails} == {("smx.test", "high")}
