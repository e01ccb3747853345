"""What replymilter itself refuses, on a real Postfix: each stage, exact replies, and what stands in the log of events."""

import os

import pytest
from harness import dovecot, smtp
from harness.postfix import INSIDER


def check(when, then='code = 550; status = "5.7.1"; text = "Not here."', name="the-check"):
    return f'checks = ( {{ name = "{name}"; when = {{ {when} }}; then = {{ {then} }}; }} );'


NOT_HERE = "550 5.7.1 Not here."


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
@pytest.mark.parametrize(
    "when, mail",
    [
        ('client = "127.0.0.5";', {"source": "127.0.0.5"}),
        ('client = "127.0.0.4/31";', {"source": "127.0.0.5"}),
        (r'helo = "/^local(host)?$/i";', {"helo": "LocalHost"}),
        ('helo = [ "a.test", "*.bad.test" ];', {"helo": "very.bad.test"}),
        (r'helo = "/^localhost$/i"; client = "!127.0.0.9";', {"helo": "localhost"}),
    ],
)
def test_connect_and_helo_speak_at_every_recipient(shared_host, chroot, when, mail):
    """A refusal at connect or HELO would lose its text, and nobody would know who was written to."""
    host = shared_host(check(when), chroot=chroot)
    with smtp.Smtp(host.port, source=mail.get("source", "127.0.0.1")) as session:
        assert session.banner.code == 220
        assert session.ehlo(mail.get("helo", "client.test")).code == 250
        for sender in ("one@sender.test", "two@sender.test"):
            assert session.mail(sender).code == 250
            for recipient in ("user@local.test", "second@local.test"):
                assert session.rcpt(recipient).wire_lines == [NOT_HERE]
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
        assert event["final"]["code"] == 550 and event["final"]["status"] == "5.7.1"
    # everybody else is served
    assert smtp.send(host.port)["end"].code == 250


def test_at_once(shared_host):
    """At once means Postfix's own way: 250 to HELO, and the text at MAIL."""
    host = shared_host(
        check(
            'helo = "localhost";',
            'code = 550; status = "5.7.1"; text = "Not here."; at_once = true',
        ),
        doors=["milter"],
    )
    with smtp.Smtp(host.port) as session:
        session.ehlo("localhost")
        assert session.mail().wire_lines == [NOT_HERE]
    assert host.daemon.wait_event(door="milter")["stage"] == "helo"


def test_at_once_at_connect(shared_host):
    host = shared_host(
        check(
            'client = "127.0.0.5";',
            'code = 550; status = "5.7.1"; text = "Not here."; at_once = true',
        ),
        doors=["milter"],
    )
    with smtp.Smtp(host.port, source="127.0.0.5") as session:
        assert session.banner.wire_lines == ["554 mx.test ESMTP not accepting connections"]
        session.ehlo()
        assert session.mail().wire_lines == [NOT_HERE]
    assert host.daemon.wait_event(door="milter")["client"]["addr"] == "127.0.0.5"


def test_sender(shared_host):
    host = shared_host(check('sender = "*@Bad.test";'))
    assert smtp.send(host.port, sender="x@bad.TEST")["mail"].wire_lines == [NOT_HERE]
    event = host.daemon.wait_event(door="milter")
    assert (event["stage"], event["sender"]) == ("mail", "x@bad.TEST")
    assert smtp.send(host.port)["end"].code == 250


def test_what_is_known_at_mail_speaks_at_mail(shared_host):
    """Whether somebody has logged in is known there, so the text reaches the client at once."""
    host = shared_host(check(r'helo = "/^localhost$/i"; client = "!127.0.0.9"; auth_user = "!*";'))
    assert smtp.send(host.port, helo="localhost")["mail"].wire_lines == [NOT_HERE]
    event = host.daemon.wait_event(door="milter")
    assert (event["stage"], event["client"]["helo"]) == ("mail", "localhost")
    assert smtp.send(host.port, helo="localhost", source=INSIDER)["end"].code == 250
    assert smtp.send(host.port)["end"].code == 250


def test_null_sender(shared_host):
    host = shared_host(check('sender = "";'))
    assert smtp.send(host.port, sender="")["mail"].wire_lines == [NOT_HERE]
    assert smtp.send(host.port)["end"].code == 250


def test_recipient(shared_host):
    host = shared_host(check('recipient = "second@local.test";'))
    got = smtp.send(
        host.port, recipients=["user@local.test", "second@local.test", "third@local.test"]
    )
    assert [reply.code for reply in got["rcpt"]] == [250, 550, 250]
    assert got["rcpt"][1].wire_lines == [NOT_HERE]
    assert sorted(host.sink.wait_mail()[0].recipients) == ["third@local.test", "user@local.test"]
    assert host.daemon.wait_event(door="milter")["recipient"] == "second@local.test"


def test_data(shared_host):
    host = shared_host(check('stage = "data"; sender = "s@sender.test";'))
    got = smtp.send(host.port)
    assert got["data"].wire_lines == [NOT_HERE]
    assert host.daemon.wait_event(door="milter")["stage"] == "data"


def test_header(shared_host):
    host = shared_host(check('header = "Subject: *lottery*";'))
    for content in (
        "Subject: the LOTTERY\r\n\r\nx\r\n",
        "X-A: b\r\nSUBJECT: a\r\n\tlottery\r\n\r\nx\r\n",
    ):
        assert smtp.send(host.port, content=content)["end"].wire_lines == [NOT_HERE]
    assert (
        smtp.send(host.port, content="Subject: hello\r\n\r\nSubject: lottery\r\n")["end"].code
        == 250
    )
    events = host.daemon.wait_events(2, door="milter")
    assert all(event["queue_id"] for event in events)


def test_size_at_end_of_message(shared_host):
    host = shared_host(
        check('size = ">10000";', 'code = 552; status = "5.3.4"; text = "Too large for us."')
    )
    big = "Subject: big\r\n\r\n" + 300 * (70 * "x" + "\r\n")
    assert smtp.send(host.port, content=big)["end"].wire_lines == ["552 5.3.4 Too large for us."]
    assert smtp.send(host.port)["end"].code == 250
    assert host.daemon.wait_event(door="milter")["category"] == "message-too-large"


def test_header_and_recipient_need_all_recipients(shared_host):
    host = shared_host(
        check(
            'header = "Subject: *lottery*"; recipient = [ "user@local.test", "second@local.test" ];'
        )
    )
    content = "Subject: lottery\r\n\r\nx\r\n"
    assert (
        smtp.send(host.port, content=content, recipients=["user@local.test", "second@local.test"])[
            "end"
        ].code
        == 550
    )
    assert (
        smtp.send(host.port, content=content, recipients=["user@local.test", "third@local.test"])[
            "end"
        ].code
        == 250
    )


@pytest.mark.parametrize(
    "code, status",
    [
        (450, "4.7.1"),
        (451, "4.3.0"),
        (452, "4.2.2"),
        (550, "5.7.1"),
        (554, "5.6.0"),
        (553, "5.1.3"),
    ],
)
def test_exact_codes(shared_host, code, status):
    host = shared_host(
        check(
            'recipient = "user@local.test";',
            f'code = {code}; status = "{status}"; text = "So it is."',
        )
    )
    assert smtp.send(host.port)["rcpt"][0].wire_lines == [f"{code} {status} So it is."]
    event = host.daemon.wait_event(door="milter")
    assert event["permanent"] is False or code >= 500


def test_many_lines(shared_host):
    texts = [f"Line number {number}." for number in range(1, 21)]
    then = f'code = 550; status = "5.7.1"; text = [ {", ".join(chr(34) + text + chr(34) for text in texts)} ]'
    for when, stage in (('recipient = "*";', "rcpt"), ('header = "Subject: *";', "end")):
        host = shared_host(check(when, then))
        got = smtp.send(host.port)
        reply = got["rcpt"][0] if stage == "rcpt" else got["end"]
        assert reply.texts == texts and reply.status == "5.7.1"


def test_percent_and_dollar(shared_host):
    texts = ["100% sure: %s %d %n %", "$5 ${sender} $$", "a 'quoted' \\\\ <word>"]
    then = f'code = 550; status = "5.7.1"; text = [ {", ".join(chr(34) + text + chr(34) for text in texts)} ]'
    for when, stage in (('recipient = "*";', "rcpt"), ('header = "Subject: *";', "end")):
        host = shared_host(check(when, then))
        got = smtp.send(host.port)
        reply = got["rcpt"][0] if stage == "rcpt" else got["end"]
        assert reply.texts == [*texts[:2], "a 'quoted' \\ <word>"]


def test_a_long_text_is_broken_at_words(shared_host):
    url = "https://help.test/" + 80 * "x"
    text = " ".join(["word"] * 150 + [url] + ["end"] * 100)
    host = shared_host(check('recipient = "*";', f'code = 550; status = "5.7.1"; text = "{text}"'))
    reply = smtp.send(host.port)["rcpt"][0]
    assert len(reply.lines) > 1 and reply.text == text
    assert any(url in line for line in reply.texts)


def test_reference_help_url_and_variables(shared_host):
    policy = (
        'site = { help_url = "https://help.test/%{status}"; hostname = "mx.site.test"; reference = true; };'
        + check(
            'recipient = "user@local.test";',
            'code = 550; status = "5.7.1"; text = [ "%{client_addr} %{helo} %{sender} %{sender_domain}", '
            '"%{recipient} %{recipient_domain} %{hostname} %{code} %{status}", "%{reference} %{help_url}", "left out: %{queue_id}" ]',
        )
    )
    host = shared_host(policy, doors=["milter"])
    reply = smtp.send(host.port, helo="my.test")["rcpt"][0]
    event = host.daemon.wait_event(door="milter")
    assert reply.texts == [
        "127.0.0.1 my.test s@sender.test sender.test",
        "user@local.test local.test mx.site.test 550 5.7.1",
        f"{event['reference']} https://help.test/5.7.1",
    ]


def test_file_with_values(shared_host, folder):
    with open(f"{folder}/moved", "w", encoding="ascii") as file:
        file.write("# who moved\nuser@local.test new@far.test\nthird@local.test\n")
    os.chmod(f"{folder}/moved", 0o644)
    host = shared_host(
        check(
            f'recipient = "file:{folder}/moved";',
            'code = 551; status = "5.1.6"; text = [ "Moved.", "Now at %{value}" ]',
        )
    )
    got = smtp.send(
        host.port, recipients=["User@local.test", "second@local.test", "third@local.test"]
    )["rcpt"]
    assert got[0].texts == ["Moved.", "Now at new@far.test"]
    assert got[1].code == 250
    assert got[2].texts == ["Moved."]


def test_regex_groups(shared_host):
    host = shared_host(
        check(
            r'recipient = "/^(.*)@local\\.test$/";',
            'code = 550; status = "5.7.1"; text = "No %{1}, not here."',
        )
    )
    assert smtp.send(host.port)["rcpt"][0].texts == ["No user, not here."]


def test_quarantine(make_host):
    host = make_host(check('header = "Subject: *hold*";', 'action = "quarantine"'))
    assert smtp.send(host.port, content="Subject: hold this\r\n\r\nx\r\n")["end"].code == 250
    event = host.daemon.wait_event(door="milter")
    assert event["queue_id"]
    assert [(mail["queue_name"], mail["queue_id"]) for mail in host.postfix.queued()] == [
        ("hold", event["queue_id"])
    ]


def test_discard(make_host):
    host = make_host(check('sender = "robot@sender.test";', 'action = "discard"'))
    assert smtp.send(host.port, sender="robot@sender.test")["end"].code == 250
    host.postfix.wait_log("milter-discard")
    assert smtp.send(host.port)["end"].code == 250
    host.sink.wait_mail(recipient="user@local.test")
    assert [mail.sender for mail in host.sink.mails] == ["s@sender.test"]
    assert len(host.daemon.wait_events(1, sender="robot@sender.test")) == 1


def test_direction_and_networks(shared_host):
    host = shared_host(
        f'site = {{ networks = [ "{INSIDER}" ]; }};' + check('direction = "outbound";')
    )
    assert smtp.send(host.port, source=INSIDER)["mail"].wire_lines == [NOT_HERE]
    assert smtp.send(host.port)["end"].code == 250


def test_auth_user(shared_host, folder, request):
    auth = dovecot.DovecotAuth(f"{folder}/auth")
    request.addfinalizer(auth.close)
    host = shared_host(
        check('auth_user = [ "bad", "worse" ];') + 'site = { help_url = "https://help.test/"; };',
        settings=auth.settings,
    )
    for user, code in (("bad", 550), ("good", 250)):
        with smtp.Smtp(host.port) as session:
            session.ehlo()
            assert session.command(dovecot.plain(user)).code == 235
            assert session.mail().code == code
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        refused = session.command(dovecot.plain("good", "wrong"))
        assert refused.code == 535 and len(refused.lines) == 1
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        assert session.rcpt("user@local.test").code == 250


def test_the_first_check_that_matches_speaks(shared_host):
    host = shared_host(
        'checks = ( { name = "one"; when = { recipient = "second@*"; }; then = { code = 550; status = "5.7.1"; text = "one"; }; }, '
        '{ name = "two"; when = { recipient = "*"; }; then = { code = 550; status = "5.7.1"; text = "two"; }; } );'
    )
    got = smtp.send(host.port, recipients=["user@local.test", "second@local.test"])["rcpt"]
    assert [reply.text for reply in got] == ["two", "one"]


def test_421_hangs_up_only_where_it_is_meant(shared_host):
    host = shared_host(
        check(
            'recipient = "user@local.test";',
            'code = 421; status = "4.7.0"; text = "Come back later."',
        )
    )
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        assert session.rcpt("user@local.test").code == 421
        with pytest.raises(smtp.Closed):
            session.reply()


def test_internal_mail_is_never_refused(make_host):
    """A bounce of Postfix's own goes by non_smtpd_milters; refusing it would leave the original in the queue."""
    host = make_host(
        check('sender = "";'),
        settings={
            "non_smtpd_milters": "unix:run/replymilter.sock",
            "internal_mail_filter_classes": "bounce",
        },
        refusals={"u@far.test": b"550 5.1.1 no such user"},
    )
    assert smtp.send(host.port, recipients=["u@far.test"], source=INSIDER)["end"].code == 250
    bounce = host.sink.wait_mail(recipient="s@sender.test")[0]
    assert bounce.sender == "" and "Status: 5.1.1" in bounce.text
    assert host.postfix.queued() == []


def test_mail_from_the_command_line(make_host):
    """sendmail(1) comes as a session of no client port: refused, it becomes a bounce that says why, which nobody refuses."""
    host = make_host(
        check('sender = "nobody@sender.test";'),
        settings={"non_smtpd_milters": "unix:run/replymilter.sock"},
    )
    host.postfix.tree.run(
        "sendmail",
        "-C",
        host.postfix.config,
        "-f",
        "nobody@sender.test",
        "user@local.test",
        input="Subject: x\n\ny\n",
    )
    bounce = host.sink.wait_mail(recipient="nobody@sender.test")[0]
    assert bounce.sender == "" and "Not here." in bounce.text
    assert host.sink.mails == [bounce] and host.postfix.queued() == []
    event = host.daemon.wait_event(door="milter")
    assert (event["sender"], event["check"]) == ("nobody@sender.test", "the-check")
