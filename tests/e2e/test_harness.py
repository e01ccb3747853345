"""The harness itself, without the daemon: what the other tests take for granted."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from harness import guard, smtp, socketmap
from harness.filter import CONTINUE, Filter, add_header, reply
from harness.net import wait_for
from harness.pair import mail, talk
from harness.postfix import INSIDER, Tree
from harness.smtpd312 import Smtpd312

UNKNOWN = "550 5.1.1 <NoUser@Local.test>: Recipient address rejected: User unknown in local recipient table"


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
def test_unknown_user_is_refused_with_the_known_text(make_postfix, chroot):
    postfix = make_postfix()
    port = postfix.smtpd(chroot=chroot)
    postfix.start()
    reply = smtp.send(port, recipients=["NoUser@Local.test"])["rcpt"][0]
    assert reply.raw.decode() == UNKNOWN + "\r\n"
    assert (reply.code, reply.status) == (550, "5.1.1")


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
def test_mail_is_taken_and_delivered(make_postfix, make_sink, chroot):
    sink = make_sink()
    postfix = make_postfix(relay=sink.port)
    port = postfix.smtpd(chroot=chroot)
    postfix.start()
    got = smtp.send(port, content="Subject: dots\r\n\r\n.\r\n..two\r\n")
    assert got["end"].code == 250
    mail = sink.wait_mail(recipient="user@local.test")[0]
    assert mail.sender == "s@sender.test"
    assert mail.text.endswith("\n\n.\n..two\n")


def test_strangers_may_not_relay_and_insiders_may(make_postfix, make_sink):
    sink = make_sink()
    postfix = make_postfix(sinks={"far.test": sink.port})
    port = postfix.smtpd()
    postfix.start()
    assert (
        smtp.send(port, recipients=["x@far.test"])["rcpt"][0].raw
        == b"554 5.7.1 <x@far.test>: Relay access denied\r\n"
    )
    assert smtp.send(port, recipients=["x@far.test"], source=INSIDER)["end"].code == 250
    sink.wait_mail(recipient="x@far.test")


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
@pytest.mark.parametrize("delay", ["yes", "no"])
def test_delay_reject(make_postfix, chroot, delay):
    postfix = make_postfix()
    port = postfix.smtpd(
        chroot=chroot,
        smtpd_delay_reject=delay,
        smtpd_helo_required="yes",
        smtpd_helo_restrictions="check_helo_access inline:{ { bad.test = REJECT not you } }",
    )
    postfix.start()
    with smtp.Smtp(port) as session:
        early = session.ehlo("bad.test")
        if delay == "yes":
            assert early.code == 250
            assert session.mail().code == 250
            early = session.rcpt("user@local.test")
        assert early.raw == b"554 5.7.1 <bad.test>: Helo command rejected: not you\r\n"


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
def test_a_table_server_adds_a_footer(make_postfix, chroot):
    postfix = make_postfix()
    path = os.path.join(postfix.queue, "run/stub.sock")
    port = postfix.smtpd(
        chroot=chroot, smtpd_reject_footer_maps="socketmap:unix:run/stub.sock:footer"
    )
    postfix.start()
    with socketmap.Server(
        path, lambda table, key: rb"OK See\nhttps://help.test/$client_address $$5 100%"
    ) as server:
        reply = smtp.send(port, recipients=["NoUser@Local.test"])["rcpt"][0]
    assert reply.wire_lines == [
        UNKNOWN.replace("550 ", "550-", 1),
        "550-5.1.1 See",
        "550 5.1.1 https://help.test/127.0.0.1 $5 100%",
    ]
    assert server.asked == [("footer", UNKNOWN.encode())]


def test_postmap_asks_a_table_server(make_postfix, folder):
    postfix = make_postfix()
    postfix.start()
    answers = {b"a b": b"OK found", b"c": b"NOTFOUND "}
    with socketmap.Server(f"{folder}/stub.sock", lambda table, key: answers[key]):
        assert postfix.postmap("a b", f"socketmap:unix:{folder}/stub.sock:any") == "found"
        assert postfix.postmap("c", f"socketmap:unix:{folder}/stub.sock:any") is None


def test_remote_refusal_bounces(make_postfix, make_sink):
    sink = make_sink(refusals={"u@far.test": b"550-5.7.1 line one\r\n550 5.7.1 line two"})
    postfix = make_postfix(relay=sink.port, sinks={"far.test": sink.port, "sender.test": sink.port})
    port = postfix.smtpd()
    postfix.start()
    smtp.send(port, recipients=["u@far.test"], source=INSIDER)
    assert postfix.wait_log(r"to=<u@far\.test>.*dsn=5\.7\.1, status=bounced")
    bounce = sink.wait_mail(recipient="s@sender.test")[0]
    assert bounce.sender == ""
    assert "\nStatus: 5.7.1\n" in bounce.text


def test_reload_takes_new_settings(make_postfix):
    postfix = make_postfix()
    port = postfix.smtpd()
    postfix.start()
    assert smtp.send(port)["end"].code == 250
    postfix.reload(smtpd_banner="$myhostname ESMTP anew")
    wait_for(lambda: b"anew" in smtp.Smtp(port).banner.raw, "the new banner")


def test_an_instance_leaves_nothing(make_postfix):
    postfix = make_postfix()
    port = postfix.smtpd()
    postfix.start()
    session = smtp.Smtp(port)
    session.ehlo()
    group = postfix.master.pid
    assert len(postfix.processes()) > 2
    postfix.close()
    assert guard.group_members(group) == []
    assert not os.path.exists(postfix.top)
    session.close()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_leaves_nothing(signum):
    script = """
        import sys, time
        from harness.postfix import Postfix
        postfix = Postfix()
        postfix.smtpd()
        postfix.start()
        print(postfix.master.pid, postfix.top, flush=True)
        time.sleep(600)
    """
    run = guard.spawn(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.path.dirname(__file__),
    )
    group, top = run.stdout.readline().split()
    assert guard.group_members(int(group))
    run.send_signal(signum)
    run.wait()
    run.stdout.close()
    guard.released(run)
    wait_for(
        lambda: not guard.group_members(int(group)) and not os.path.exists(top),
        "the guard to clean up",
    )


def test_a_missing_postfix_is_named(folder):
    with pytest.raises(FileNotFoundError, match="install-deps"):
        Tree(folder)


def run_pytest(folder, text, **environment):
    """Runs pytest with this folder's conftest on one test file of its own."""
    with open(f"{folder}/test_it.py", "w", encoding="ascii") as file:
        file.write(text)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "conftest",
            f"{folder}/test_it.py",
        ],
        text=True,
        capture_output=True,
        cwd=os.path.dirname(__file__),
        env={name: value for name, value in os.environ.items() if name != "CI"} | environment,
    )


def test_a_skip_is_a_failure_in_ci_only(folder):
    text = "import pytest\ndef test_it():\n    pytest.skip('no such thing here')\n"
    assert run_pytest(folder, text).returncode == 0
    in_ci = run_pytest(folder, text, CI="true")
    assert in_ci.returncode == 1
    assert "1 failed" in in_ci.stdout and "no such thing here" in in_ci.stdout


def test_another_version_is_left_out_by_name(folder):
    text = "import pytest\n@pytest.mark.postfix('99.1')\ndef test_new():\n    pass\ndef test_old():\n    pass\n"
    run = run_pytest(folder, text, CI="true")
    assert run.returncode == 0
    assert "1 passed, 1 deselected" in run.stdout and "test_new: needs Postfix 99.1" in run.stdout


def test_client_finds_broken_replies():
    smtp.check_wire(b"550-5.1.1 one\r\n550 5.1.1 two\r\n")
    for raw in (
        b"550 a\n",
        b"550-a\r\n551 b\r\n",
        b"550 a\r\nb\r\n",
        b"550 a\rb\r\n",
        b"550 \xc3\xa9\r\n",
        b"550 " + 508 * b"x" + b"\r\n",
        b"550-a\r\n550-b\r\n",
        b"550 a\r\n550 b\r\n",
    ):
        with pytest.raises(smtp.ProtocolError):
            smtp.check_wire(raw)


def test_played_smtpd_follows_the_real_rules(folder):
    """The stand-in for smtpd 3.12 treats the results of both tables as the real one does."""
    answers = {}

    def answer(table, key):
        return answers.get(table, b"NOTFOUND ")

    with socketmap.Server(f"{folder}/stub.sock", answer) as server:
        smtpd = Smtpd312(f"{folder}/stub.sock")
        assert smtpd.send("250 2.0.0 Ok") == "250 2.0.0 Ok" and not server.asked
        assert smtpd.send(UNKNOWN) == UNKNOWN
        answers["footer"] = rb"OK line A $client_address $$\nline $recipient.B"
        denied = "554 5.7.1 <x@y.test>: Relay access denied"
        assert (
            smtpd.send(denied)
            == "554-5.7.1 <x@y.test>: Relay access denied\r\n554-5.7.1 line A 192.0.2.1 $\r\n554 5.7.1 line .B"
        )
        answers["footer"] = rb"OK \c. See"
        assert smtpd.send(denied) == denied + ". See"
        assert smtpd.send("501 Syntax: HELO hostname") == "501 Syntax: HELO hostname. See"
        answers["footer"] = b"OK FOOT"
        assert smtpd.send("501 Syntax: HELO hostname") == "501-Syntax: HELO hostname\r\n501 FOOT"
        answers["reject"] = b"OK 450-4.2.0 $recipient one\r\n450 4.2.0 two"
        assert smtpd.send(denied) == "450-4.2.0 $recipient one\r\n450-4.2.0 two\r\n450 4.2.0 FOOT"
        assert server.asked[-1] == ("footer", b"450-4.2.0 $recipient one\r\n450 4.2.0 two")
        for bad in (b"250 2.0.0 x", b"503 4.5.1 x"):
            answers["reject"] = b"OK " + bad
            assert smtpd.send(denied).startswith("554-5.7.1 <x@y.test>")
            assert "invalid reject filter result" in smtpd.warnings[-1]
        answers["reject"] = b"TEMP oh"
        assert smtpd.send(denied).startswith("554-5.7.1 <x@y.test>")
    assert smtpd.send(denied) == denied


# what the two tables answer to the refusal of an unknown user
RESULTS = [
    (b"NOTFOUND ", b"NOTFOUND "),
    (b"OK 450 4.2.0 later", b"NOTFOUND "),
    (b"OK 450-4.2.0 $recipient one\\n\r\n450 4.2.0 two", rb"OK FOOT $client_address\n$$ 100%"),
    (b"OK 550 no status", rb"OK FOOT"),
    (b"NOTFOUND ", rb"OK \c. See"),
    (b"NOTFOUND ", rb"OK to $recipient.${sender?from $sender} ${recipient:none}"),
    (b"OK 250 2.0.0 Ok", rb"OK FOOT"),
    (b"OK 550 4.1.1 x", b"NOTFOUND "),
    (b"OK ", b"OK "),
    (b"TEMP no", b"TIMEOUT no"),
]


@pytest.mark.postfix("3.11")
@pytest.mark.parametrize("reject, footer", RESULTS)
def test_played_smtpd_equals_the_real_one(make_postfix, reject, footer):
    answers = {"reject": reject, "footer": footer}
    postfix = make_postfix()
    where = "socketmap:unix:run/stub.sock:"
    port = postfix.smtpd(
        smtpd_reject_filter_maps=where + "reject", smtpd_reject_footer_maps=where + "footer"
    )
    postfix.start()
    with socketmap.Server(
        f"{postfix.queue}/run/stub.sock", lambda table, key: answers[table]
    ) as server:
        with smtp.Smtp(port, strict=False) as session:
            session.ehlo()
            session.mail()
            real = session.rcpt("NoUser@Local.test").raw.decode().removesuffix("\r\n")
        asked = list(server.asked)
        played = Smtpd312(
            server.path, attributes={"client_address": "127.0.0.1", "sender": "s@sender.test"}
        )
        assert played.send(UNKNOWN) == real
        assert [(table, key.encode()) for table, key in played.queries] == asked


@pytest.mark.parametrize("inet", [False, True], ids=["unix", "inet"])
def test_a_scripted_filter(make_postfix, make_sink, inet):
    """A filter that says what the script has, on a Postfix; what it was told is kept."""
    script = {
        b"R": lambda _session, data: reply(
            "550 5.7.1 No." if data == b"<no@local.test>\0" else "450 4.7.1 Later."
        ),
        b"E": add_header("X-Late", "but there") + CONTINUE,
    }
    sink = make_sink()
    postfix = make_postfix({"local_recipient_maps": ""}, relay=sink.port)
    one = Filter(script, inet=inet)
    try:
        port = postfix.smtpd(smtpd_milters=one.postfix_socket)
        postfix.start()
        steps = ["EHLO client.test", *mail("no@local.test", "later@local.test")[:-2], "RSET"]
        assert [reply[:9] for reply in talk(port, steps)[-3:-1]] == [b"550 5.7.1", b"450 4.7.1"]
        one.script = {b"E": script[b"E"]}
        talk(
            port,
            [
                "EHLO client.test",
                *mail("a@local.test", content=b"Subject:  two\r\n\r\nx\r\n"),
                "QUIT",
            ],
        )
        assert "\nX-Late: but there\n" in sink.wait_mail()[0].text
        first, second = one.settle()
        assert first.order().startswith(b"OCHMRRA") and second.order().startswith(b"OCHMRTLNBE")
        assert second.headers() == [(b"Subject", b" two")] and second.body() == b"x\r\n"
        assert second.macros(b"R")["{rcpt_addr}"] == b"a@local.test"
    finally:
        one.close()
