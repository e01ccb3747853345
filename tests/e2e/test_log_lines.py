"""What the daemon's own log says of a mail: in words, and with the queue id first, as in the mail server's log."""

import re

import pytest
from harness import smtp
from harness.net import wait_for
from harness.replymilter import replyctl

CHECK = (
    'checks = ( { name = "no-such"; when = { recipient = "second@local.test"; }; then = { code = 550; '
    'status = "5.1.1"; text = "No second mailbox."; }; },\n'
    '{ name = "odd"; when = { header = "Subject: *odd*"; }; then = { code = 554; status = "5.7.1"; text = "Odd."; }; } );\n'
)
# Postfix's queue ids, short and long
ID = r"(?:[0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+)"


def lines(daemon, wanted, count=1):
    """The lines of its log that match, once there are so many; without the program's name."""

    def enough():
        found = [
            line.removeprefix("replymilter: ")
            for line in daemon.errors().splitlines()
            if re.search(wanted, line)
        ]
        return found if len(found) >= count else None

    return wait_for(enough, lambda: f"{count} line(s) with {wanted} in:\n{daemon.errors()}")


def test_the_queue_id_stands_first(make_host):
    host = make_host(CHECK)
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail("someone@sender.test")
        assert session.rcpt("second@local.test").code == 550  # the queue file is not opened yet
        assert session.rcpt("user@local.test").code == 250
        assert session.rcpt("second@local.test").code == 550
        session.data()
        assert session.message("Subject: so odd\r\n\r\nx\r\n").code == 554
        session.quit()
    early, late = lines(host.daemon, "refused RCPT <second@local.test>", 2)
    (odd,) = lines(host.daemon, "refused message")
    rejects = host.postfix.wait_log("milter-reject", count=3)
    text = "refused RCPT <second@local.test> by check no-such: 550 5.1.1 No second mailbox."
    assert early.startswith(f"NOQUEUE: {text}; from=<someone@sender.test> client=")
    queue_id = late.partition(":")[0]
    assert re.fullmatch(ID, queue_id), late
    assert late.startswith(f"{queue_id}: {text}")
    assert odd.startswith(f"{queue_id}: refused message by check odd: 554 5.7.1 Odd.; ")
    assert "client=" in odd and "[127.0.0.1]" in odd and "category=" in odd
    # what Postfix says of the same mail has the same id
    assert any(f"{queue_id}: milter-reject: RCPT" in line for line in rejects)
    # nobody asks for what the MTA has refused by itself; the table that worded it says so
    smtp.send(host.port, recipients=["nouser@local.test"])
    (worded,) = lines(host.daemon, "by table footer")
    assert worded.startswith("NOQUEUE: reworded RCPT <nouser@local.test> by table footer: ")
    reference = re.search("reference=(\\w+)$", worded).group(1)
    shown = replyctl("show", "-c", host.daemon.policy_path, reference).stdout
    assert "nouser@local.test" in shown
    assert "by the MTA" not in host.daemon.errors()


@pytest.mark.parametrize("on_failure", ["accept", "tempfail"])
def test_filters_that_fail(make_host, on_failure):
    """Each mail that had to do without a filter says so; the warning about the filter comes seldom."""
    outcome = {"accept": "the mail goes on without it", "tempfail": "the mail is put off"}[on_failure]
    host = make_host(
        'filters = ( { name = "scanner"; socket = "unix:/nowhere/scanner"; on_failure = "%s"; } );\n'
        % on_failure,
        doors=["milter"],
    )
    for _ in range(3):
        smtp.send(host.port, recipients=["user@local.test"])
    warned = lines(host.daemon, "warning: filter scanner")
    assert len(warned) == 1 and re.match(f"({ID}|NOQUEUE): warning: filter scanner: ", warned[0])
    for line in lines(host.daemon, "filter scanner failed", 2):
        assert re.match(f"({ID}|NOQUEUE): filter scanner failed", line), line
        assert outcome in line and "cannot connect" in line


def test_traces(make_host):
    host = make_host(CHECK, doors=["milter"], arguments=["-v"])
    smtp.send(host.port, recipients=["user@local.test"], content="Subject: odd\r\n\r\nx\r\n")
    (trace,) = lines(host.daemon, 'check "odd" speaks')
    assert re.match(f"{ID}: trace: ", trace)
    assert lines(host.daemon, "RCPT <user@local.test> by")[0].startswith("NOQUEUE: trace: ")


def test_how_much_is_told(make_host):
    """log.lines and the log level choose; privacy settings apply."""
    host = make_host(CHECK, log='lines = "none";')

    def refuse():
        before = len(host.daemon.errors())
        smtp.send(host.port, recipients=["second@local.test", "nouser@local.test"])
        host.daemon.wait_events(2, recipient="nouser@local.test")
        host.daemon.forget_events()
        return host.daemon.errors()[before:]

    def reload(lines):
        host.daemon.log_settings = lines
        host.daemon.reload(CHECK)

    assert "NOQUEUE" not in refuse()
    reload('lines = "all";')
    said = refuse()
    assert "by check no-such" in said and "by the MTA" in said and "by table footer" in said
    reload('addresses = "domain"; client = "prefix";')
    before = len(host.daemon.errors())
    smtp.send(host.port, sender="someone@sender.test", recipients=["second@local.test"])
    wait_for(lambda: "by check" in host.daemon.errors()[before:], "the line")
    said = host.daemon.errors()[before:]
    assert "second@" not in said and "*@local.test" in said and "127.0.0.1" not in said


def test_lines_without_an_event_log(make_host):
    host = make_host(CHECK + 'log = { rate = 0; };\n')
    smtp.send(host.port, recipients=["second@local.test"])
    (line,) = lines(host.daemon, "refused RCPT")
    assert line.startswith("NOQUEUE: refused RCPT <second@local.test> by check no-such: ")
