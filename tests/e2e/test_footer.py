"""The footer table on a real Postfix: what it adds, what it leaves alone, and that no failure of it stops the mail."""

import os
import re
import signal
import threading

import pytest
from harness import smtp
from harness.mailhost import table

SITE = """
site = {
  help_url = "https://help.test/why/%{status}";
  contact = "postmaster@local.test";
  reference = true;
};
"""
ORIGINAL = "<nouser@local.test>: Recipient address rejected: User unknown in local recipient table"


def refused(host, **mail):
    return smtp.send(host.port, **({"recipients": ["nouser@local.test"]} | mail))["rcpt"][0]


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
def test_annotation_with_reference_and_help(shared_host, chroot):
    host = shared_host(SITE, chroot=chroot)
    reply = refused(host)
    assert (reply.code, reply.status) == (550, "5.1.1")
    assert reply.texts[0] == ORIGINAL
    added = reply.lines[1:]
    assert 1 <= len(added) <= 3 and sum(map(len, added)) <= 400
    assert all(line.startswith("5.1.1 ") for line in added)
    assert "https://help.test/why/5.1.1" in reply.text
    event = host.daemon.wait_event(door="footer")
    assert event["reference"] and event["reference"] in reply.text
    assert event["original"] == {"code": 550, "status": "5.1.1", "text": event["original"]["text"]}
    assert event["changed"] is True and event["category"] == "user-unknown"
    for line in reply.texts:
        assert line in str(event["final"]["text"])


def test_the_two_doors_join(shared_host):
    host = shared_host(SITE)
    refused(host)
    observed = host.daemon.wait_event(door="milter")
    lookup = host.daemon.wait_event(door="footer")
    assert observed["id"] != lookup["id"]
    assert {observed.get("joins"), lookup.get("joins")} in (
        {None, observed["id"]},
        {None, lookup["id"]},
    )
    assert not observed.get("reference"), "the reference belongs to the line whose reply was sent"


def test_each_reply_has_its_own_reference(shared_host):
    host = shared_host(SITE)
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        texts = [session.rcpt(f"nobody{number}@local.test").text for number in range(20)]
    references = [event["reference"] for event in host.daemon.wait_events(20, door="footer")]
    assert len(set(references)) == 20
    for text, reference in zip(texts, references):
        assert reference in text


SIGNS = 'site = { reference = false; }; replies = { rules = ( { name = "signs"; when = { category = "user-unknown"; }; then = { mode = "annotate"; text = [ %s ]; }; } ); };'


def test_dollar_percent_and_backslash_are_safe(shared_host):
    texts = ["It costs $5 or ${sender} or $$.", "100% sure, %s %d %n", "a $client_address b"]
    host = shared_host(SIGNS % ", ".join(f'"{text}"' for text in texts))
    reply = refused(host)
    assert reply.texts[0] == ORIGINAL
    assert reply.texts[1:] == texts
    assert not host.postfix.log_lines("macro")


def test_variables_that_only_postfix_knows(shared_host):
    host = shared_host(
        SIGNS % '"You are %{client_addr}, said %{helo}, from %{sender} to %{recipient}."'
    )
    reply = refused(host, sender="me@sender.test", helo="my.test")
    assert (
        reply.texts[1]
        == "You are 127.0.0.1, said my.test, from me@sender.test to nouser@local.test."
    )
    assert not host.postfix.log_lines("macro")


def test_replace_at_this_door_adds_only(shared_host):
    host = shared_host(
        'site = { reference = false; }; replies = { rules = ( { name = "new"; when = { status = "5.1.1"; }; '
        'then = { mode = "replace"; code = 553; status = "5.1.3"; text = "Nobody of that name."; }; } ); };'
    )
    reply = refused(host)
    assert reply.wire_lines[0] == f"550-5.1.1 {ORIGINAL}"
    assert reply.wire_lines[1] == "550 5.1.1 Nobody of that name."
    event = host.daemon.wait_event(door="footer")
    assert (event["final"]["code"], event["final"]["status"]) == (550, "5.1.1")


def test_keep_leaves_it_alone(shared_host):
    host = shared_host(SITE + 'replies = { default = "keep"; };')
    assert refused(host).wire_lines == [f"550 5.1.1 {ORIGINAL}"]


def test_brief_says_the_generic_sentence_only(shared_host):
    host = shared_host(SITE.replace("reference = true;", 'disclosure = "brief"; reference = true;'))
    reply = refused(host)
    assert reply.texts[0] == ORIGINAL
    assert host.daemon.wait_event(door="footer")["category"] == "user-unknown"


# what brings the reply about, and the reply's beginning: none of them is about mail
NOT_MAIL = [
    ("unknown command", "NONSENSE", "50"),
    ("sequence", "RCPT TO:<user@local.test>", "503 5.5.1"),
    ("syntax", "HELO", "501 "),
    ("bad verb", "EXPN x", "50"),
    ("bad auth", "AUTH PLAIN AHgAeQ==", "503 5.5.1"),
]


@pytest.mark.parametrize("what, command, start", NOT_MAIL, ids=[row[0] for row in NOT_MAIL])
def test_replies_that_are_not_about_mail_are_left_alone(shared_host, what, command, start):
    host = shared_host(SITE)
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        reply = session.command(command)
        session.quit()
    assert reply.wire_lines[0].startswith(start) and len(reply.lines) == 1


def test_timeout_is_left_alone(shared_host):
    host = shared_host(SITE, settings={"smtpd_timeout": "1s"})
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        assert session.reply().wire_lines == ["421 4.4.2 mx.test Error: timeout exceeded"]


def test_banner_is_left_alone(shared_host):
    host = shared_host(
        SITE,
        smtpd={
            "smtpd_delay_reject": "no",
            "smtpd_client_restrictions": "check_client_access inline:{ { 127.0.0.3 = 521 go away } }",
        },
    )
    with smtp.Smtp(host.port, source="127.0.0.3") as session:
        assert session.banner.code in (521, 554)


def test_a_reply_of_postfix_at_end_of_message(shared_host):
    host = shared_host(
        SITE,
        settings={"message_size_limit": "2000"},
    )
    got = smtp.send(host.port, content="Subject: big\r\n\r\n" + 50 * (70 * "x" + "\r\n"))
    assert got["end"].code == 552 and got["end"].texts[0] == "Error: message file too big"
    assert "https://help.test/why/5.3.4" in got["end"].text
    assert host.daemon.wait_event(door="footer")["category"] == "message-too-large"


def test_milter_replies_are_annotated_once(shared_host):
    """What our own check has said comes by the footer table again and is left as it is."""
    host = shared_host(
        SITE
        + 'checks = ( { name = "no"; when = { recipient = "user@local.test"; }; then = { code = 550; status = "5.7.1"; '
        'text = [ "Line one.", "See %{help_url}, reference %{reference}" ]; }; } );'
    )
    reply = refused(host, recipients=["user@local.test"])
    assert len(reply.lines) == 2 and reply.texts[0] == "Line one."
    assert reply.text.count("https://") == 1


@pytest.mark.parametrize("gone", ["never started", "killed", "stopped", "socket removed"])
def test_without_the_daemon_mail_and_refusals_go_on(make_host, gone):
    """With milter_default_action=accept nothing but the log shows that the daemon is not there."""
    host = make_host(SITE, start=False)
    host.postfix.start()
    if gone != "never started":
        host.daemon.start()
        assert len(refused(host).lines) > 1
    if gone == "killed":
        host.daemon.kill()
    elif gone == "stopped":
        host.daemon.stop()
    elif gone == "socket removed":
        os.unlink(host.daemon.tables)
        os.unlink(host.daemon.socket)
        # smtpd keeps its connection to a table for a while: a new one has none
        host.postfix.reload()
    reply = refused(host)
    if gone != "socket removed":
        assert reply.wire_lines == [f"550 5.1.1 {ORIGINAL}"]
    assert smtp.send(host.port)["end"].code == 250
    host.sink.wait_mail()


def test_a_daemon_that_comes_back_is_used_again(make_host):
    host = make_host(SITE)
    assert len(refused(host).lines) > 1
    host.daemon.kill()
    assert len(refused(host).lines) == 1
    host.daemon.start()
    assert len(refused(host).lines) > 1


def test_static_footer_stands_in(make_host):
    host = make_host(SITE, settings={"smtpd_reject_footer": "call us"})
    host.daemon.kill()
    assert refused(host).texts == [ORIGINAL, "call us"]


def test_through_proxymap(make_host):
    host = make_host(SITE, doors=["milter"], chroot=True)
    host.postfix.reload(
        smtpd_reject_footer_maps=f"proxy:socketmap:unix:{host.daemon.tables}:footer"
    )
    assert "https://help.test/why/5.1.1" in refused(host).text


def test_unknown_table_is_not_found(shared_host):
    host = shared_host(
        SITE, doors=["milter"], settings={"smtpd_reject_footer_maps": table("nonsense")}
    )
    assert refused(host).wire_lines == [f"550 5.1.1 {ORIGINAL}"]


def test_postmap_is_the_users_test(shared_host):
    host = shared_host(SITE)
    where = f"socketmap:unix:{host.daemon.tables}:footer"
    answer = host.postfix.postmap(
        "550 5.1.1 <x@local.test>: Recipient address rejected: User unknown", where
    )
    assert "https://help.test/why/5.1.1" in answer
    assert host.postfix.postmap("250 2.0.0 Ok", where) is None
    assert host.postfix.postmap("535 5.7.8 Error: authentication failed", where) is None
    assert host.postfix.postmap("rubbish", where) is None


def test_postscreen(make_host):
    """postscreen asks the same table, and knows neither sender nor recipient: nothing may be logged as unknown."""
    host = make_host(SITE, start=False)
    postfix = host.postfix
    port = postfix.smtpd(smtpd_service_name="smtpd")
    # the port's own line becomes postscreen's
    postfix.services.pop()
    postfix.service(f"127.0.0.1:{port} inet n - n - 1 postscreen")
    postfix.service("smtpd pass - - n - - smtpd")
    postfix.service("dnsblog unix - - n - 0 dnsblog")
    postfix.settings |= {
        "postscreen_access_list": "cidr:{ { 127.0.0.0/8 reject } }",
        "postscreen_denylist_action"
        if postfix.version >= (3, 6)
        else "postscreen_blacklist_action": "enforce",
        "postscreen_cache_map": f"btree:{postfix.path('data')}/postscreen",
        "postscreen_greet_wait": "1s",
    }
    host.start()
    with smtp.Smtp(port) as session:
        session.ehlo()
        session.mail()
        reply = session.rcpt("user@local.test")
    assert reply.wire_lines[0].startswith("550-5.3.2 Service currently unavailable")
    assert "https://help.test/why/5.3.2" in reply.text
    assert not postfix.log_lines("unknown macro")


def test_stopped_process_costs_a_wait_only(shared_host):
    """While the daemon cannot run, a short stop of it is a short wait of the client: nothing is lost."""
    host = shared_host(SITE)
    host.daemon.process.send_signal(signal.SIGSTOP)
    again = threading.Timer(0.5, host.daemon.process.send_signal, [signal.SIGCONT])
    again.start()
    try:
        reply = refused(host)
    finally:
        again.join()
    assert re.search(r"https://help\.test/", reply.text)
