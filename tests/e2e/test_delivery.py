"""The delivery table: outbound failures get the right status before they become a bounce; nothing else is touched."""

import re

import pytest
from harness import smtp
from harness.postfix import INSIDER

RULES = """
replies = { rules = (
  { name = "partner"; when = { text = "/no such mailbox/i"; }; then = { mode = "replace"; code = 550; status = "5.1.1"; text = "The mailbox does not exist there: $5 100%"; }; },
  { name = "guarded"; when = { text = "/guarded/"; }; then = { mode = "replace"; code = 550; status = "5.4.7"; text = "Given up."; }; },
  { name = "allowed"; when = { text = "/allowed/"; }; then = { mode = "replace"; code = 550; status = "5.4.7"; text = "Given up."; change_class = true; }; },
  { name = "softened"; when = { text = "/soften/"; }; then = { mode = "replace"; code = 450; status = "4.7.1"; text = "Try again."; change_class = true; }; }
); };
"""


def deliver(host, recipient="u@far.test"):
    mark = host.postfix.mark()
    assert smtp.send(host.port, recipients=[recipient], source=INSIDER)["end"].code == 250
    return host.postfix.wait_log(rf"to=<{re.escape(recipient)}>.* status=", mark)[0]


def make(make_host, said, **options):
    host = make_host(RULES, doors=["delivery"], **options)
    host.sink.refusals = {"u@far.test": said} if said else {}
    return host


def test_a_wrong_status_is_corrected_before_the_bounce(shared_host):
    host = make(shared_host, b"550-5.7.1 Sorry,\r\n550 5.7.1 there is no such mailbox")
    line = deliver(host)
    assert "dsn=5.1.1, status=bounced (host 127.0.0.1" in line
    assert (
        "no such mailbox (in reply to RCPT TO command) - The mailbox does not exist there: $5 100%"
        in line
    )
    bounce = host.sink.wait_mail(recipient="s@sender.test")[0]
    assert "\nStatus: 5.1.1\n" in bounce.text
    assert (
        "550-5.7.1 Sorry" in bounce.headers()
        or "Diagnostic-Code: smtp; 550-5.7.1 Sorry" in bounce.text
    )
    event = host.daemon.wait_event(door="delivery")
    assert (event["event"], event["category"], event["permanent"]) == (
        "failure",
        "user-unknown",
        True,
    )
    assert (event["original"]["status"], event["final"]["status"], event["rule"]) == (
        "5.7.1",
        "5.1.1",
        "partner",
    )
    assert "Sorry" in str(event["original"]["text"])


def test_success_is_left_alone(shared_host):
    host = make(shared_host, None)
    assert "status=sent (250 2.0.0 stored)" in deliver(host)
    assert host.daemon.events() == []


def test_class_is_guarded(shared_host):
    host = make(shared_host, b"451 4.3.0 guarded")
    line = deliver(host)
    assert "status=deferred" in line and "dsn=4." in line
    assert not host.postfix.log_lines("bad status code")
    assert host.daemon.wait_event(door="delivery")["event"] in ("delay", "failure")


def test_class_changes_where_the_rule_says_so(shared_host):
    host = make(shared_host, b"451 4.3.0 allowed")
    assert "dsn=5.4.7, status=bounced" in deliver(host)
    host = make(shared_host, b"550 5.3.0 soften this")
    assert "dsn=4.7.1, status=deferred" in deliver(host)


def test_what_no_rule_names_keeps_its_status(shared_host):
    host = make(shared_host, b"552 5.2.2 mailbox full, <u@far.test>")
    assert "dsn=5.2.2, status=bounced" in deliver(host)
    bounce = host.sink.wait_mail(recipient="s@sender.test")[0]
    assert "\nStatus: 5.2.2\n" in bounce.text and "mailbox full" in bounce.text


def test_connection_failure_is_a_delay(make_host):
    host = make(make_host, None)
    host.postfix.reload(transport_maps="inline:{ { far.test = smtp:[127.0.0.1]:1 } }")
    assert "status=deferred" in deliver(host)
    event = host.daemon.wait_event(door="delivery")
    assert (event["event"], event["permanent"], event["category"]) == (
        "delay",
        False,
        "network-error",
    )


def test_pipe(make_host):
    host = make(make_host, None, start=False)
    host.postfix.service(
        "piped unix - n n - - pipe\n  flags= user=nobody argv=/bin/sh -c {echo no such mailbox here; exit 69}"
    )
    host.postfix.settings["transport_maps"] = "inline:{ { far.test = piped: } }"
    host.postfix.settings["transport_maps"] = host.postfix.settings["transport_maps"].replace(
        "} }", "}, { sender.test = smtp:[127.0.0.1]:%d } }" % host.sink.port
    )
    host.start()
    assert "dsn=5.1.1, status=bounced" in deliver(host)


@pytest.mark.parametrize("gone", ["killed", "never started"])
def test_without_the_daemon(make_host, gone):
    """Fail-open: the original status, no delay of mail that goes through, no second delivery."""
    host = make(make_host, b"550 5.7.1 no such mailbox", start=False)
    if gone == "killed":
        host.daemon.start()
    host.postfix.start()
    if gone == "killed":
        host.daemon.kill()
    assert "dsn=5.7.1, status=bounced" in deliver(host)
    assert "status=sent" in deliver(host, "other@far.test")
    assert len(host.sink.wait_mail(recipient="other@far.test")) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"550 5.7.1 no such mailbox \xff\xfe \xc3\xa9 \x01\x02\x1b[31m",
        b"550 5.7.1 no such mailbox " + 3000 * b"x",
        b"550 5.7.1 no such mailbox\rBcc: x@y.test",
        b"550 5.7.1 no such mailbox $(id) ${x} %s%n \\n\\c",
        b"550-5.7.1 no such mailbox\r\n" * 60 + b"550 5.7.1 end",
        b"550 5.7.1 " + b"no such mailbox\xe2\x80\xa8Status: 2.0.0",
    ],
    ids=["octets", "long", "carriage return", "signs", "lines", "line separator"],
)
@pytest.mark.parametrize("keep", [False, True], ids=["rule", "original"])
def test_hostile_text_of_the_remote_server(shared_host, said, keep):
    if keep:
        said = said.replace(b"no such mailbox", b"not today")
    host = make(shared_host, said)
    line = deliver(host)
    assert "status=bounced" in line and f"dsn={'5.7.1' if keep else '5.1.1'}" in line
    bounce = host.sink.wait_mail(recipient="s@sender.test")[0]
    assert len(re.findall(r"(?m)^Status: ", bounce.text)) == 1
    assert not re.search(r"(?m)^Bcc:", bounce.text)
    if host.daemon.events():
        event = host.daemon.wait_event(door="delivery")
        assert re.fullmatch(rb"[\x20-\x7e\n]*", host.daemon.raw_events())
        assert event["original"]["status"] == "5.7.1"
