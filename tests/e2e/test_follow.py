"""The mail log of a real Postfix, as replyctl follow and replyctl classify read it."""

import json

from harness import smtp
from harness.postfix import INSIDER
from harness.replymilter import replyctl

POLICY = 'log = { addresses = "plain"; };\n'


def events_of(path, tmp_path):
    policy = tmp_path / "follow.conf"
    policy.write_text(POLICY)
    told = replyctl("follow", "-c", policy, "--once", path)
    return [json.loads(line) for line in told.stdout.splitlines()]


def send(host, recipients, status):
    mark = host.postfix.mark()
    content = "Subject: x\r\nMessage-ID: <1@sender.test>\r\n\r\nHello.\r\n"
    assert smtp.send(host.port, recipients=recipients, source=INSIDER, content=content)["end"].code == 250
    host.postfix.wait_log(rf"to=<.*@far.test>.* status={status}", mark, count=len(recipients))


def test_what_postfix_logs(shared_host, tmp_path):
    host = shared_host("", doors=[])
    host.sink.refusals = {
        "gone@far.test": b"550-5.1.1 <gone@far.test>:\r\n550 5.1.1 User unknown",
        "full@far.test": b"452 4.2.2 mailbox full",
    }
    send(host, ["gone@far.test"], "bounced")
    send(host, ["full@far.test"], "deferred")
    send(host, ["good@far.test"], "sent")
    assert smtp.send(host.port, recipients=["nobody@local.test"])["rcpt"][0].code == 550
    events = [event for event in events_of(host.postfix.log_path, tmp_path) if "far.test" in event["recipient"]]
    assert [(event["event"], event["recipient"], event["category"], event["permanent"]) for event in events] == [
        ("failure", "gone@far.test", "user-unknown", True),
        ("delay", "full@far.test", "mailbox-full", False),
    ]
    failure = events[0]
    assert (failure["door"], failure["sender"], failure["proof"]) == ("log", "s@sender.test", "own-mta")
    assert failure["original"]["status"] == "5.1.1" and failure["original"]["code"] == 550
    assert failure["stage"] == "rcpt" and failure["message_id"] == "1@sender.test" and failure["queue_id"] and failure["reporting_mta"]

    told = replyctl("classify", "--json", host.postfix.log_path).stdout.splitlines()
    rows = {row["recipient"]: row for row in map(json.loads, told)}
    assert (rows["gone@far.test"]["kind"], rows["gone@far.test"]["category"]) == ("failure", "user-unknown")
    assert (rows["full@far.test"]["kind"], rows["full@far.test"]["category"]) == ("delay", "mailbox-full")
    assert (rows["nobody@local.test"]["kind"], rows["nobody@local.test"]["category"]) == ("failure", "user-unknown")
    assert "good@far.test" not in rows
