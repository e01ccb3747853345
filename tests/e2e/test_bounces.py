"""Mail that reports something, on a real Postfix: read, told of in the log, tagged; its own bounces told of and let be."""

import os
import re
import signal
import threading

import pytest
from harness import smtp
from harness.mailhost import MILTER
from harness.net import LOOPBACK, wait_for
from harness.postfix import INSIDER, LOCAL_DOMAIN

pytestmark = pytest.mark.threaded

ME = "user@" + LOCAL_DOMAIN
TAG = 'site = { hostname = "mx.test"; networks = "127.0.0.9"; }; bounces = { tag = true; %s };'
OWN = {"non_smtpd_milters": MILTER, "internal_mail_filter_classes": "bounce"}
UNKNOWN = "550 5.1.1 <jo@far.test>: Recipient address rejected: User unknown"


def group(address="jo@far.test", text=UNKNOWN, status="5.1.1", action="failed"):
    """A recipient's fields of a delivery status notification."""
    return (
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {text}\r\nRemote-MTA: dns; mx.far.test\r\n"
    )


def dsn(*groups, reporting="mx.relay.test", message_id="77@far.test", headers="", words="", behind=""):
    """A delivery status notification. `headers` go before all others, `words` are the text part, `behind` ends it."""
    fields = "\r\n".join(groups or [group()])
    return (
        f"{headers}From: MAILER-DAEMON@relay.test (Mail Delivery System)\r\nTo: {ME}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=b"\r\n\r\n'
        f"--=b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system at host {reporting}.\r\n{words}\r\n"
        "--=b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; {reporting}\r\n\r\n{fields}\r\n"
        "--=b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"From: news@sender.test\r\nMessage-ID: <{message_id}>\r\nSubject: News\r\n\r\n--=b--\r\n{behind}"
    )


def plain(subject="Hello", **headers):
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"From: a@far.test\r\nTo: {ME}\r\nSubject: {subject}\r\n{more}\r\nHello.\r\n"


FEEDBACK = (
    f"From: fbl@far.test\r\nTo: {ME}\r\nSubject: FW: News\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=feedback-report; boundary="=f"\r\n\r\n'
    "--=f\r\nContent-Type: text/plain\r\n\r\nThis is a complaint.\r\n"
    "--=f\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n"
    "Original-Rcpt-To: <jo@far.test>\r\n\r\n"
    "--=f\r\nContent-Type: message/rfc822\r\n\r\nFrom: news@sender.test\r\nMessage-ID: <77@far.test>\r\n"
    "Subject: News\r\n\r\nNews!\r\n--=f--\r\n"
)


def report(host, content, recipient=ME, sender="", **options):
    """Sends a mail and returns it as the far end got it."""
    before = len(host.sink.mails)
    replies = smtp.send(host.port, sender=sender, recipients=[recipient], content=content, **options)
    assert replies["end"].code == 250, replies
    return host.sink.wait_mail(before + 1)[before]


def tags(mail):
    """The X-Bounce headers in their order, as (name, value)."""
    return re.findall(r"(?mi)^(X-Bounce-[A-Za-z]*) ?: ?(.*)$", mail.headers())


def body(mail):
    return mail.content.split(b"\n\n", 1)[1]


# ---- what comes in


def test_a_bounce_is_told_of_and_tagged(shared_host):
    host = shared_host(TAG % "", doors=["milter"])
    content = dsn()
    mail = report(host, content)
    assert tags(mail) == [
        ("X-Bounce-Kind", "mx.test; failure"),
        ("X-Bounce-Category", "mx.test; user-unknown"),
        ("X-Bounce-Action", "mx.test; review"),
        ("X-Bounce-Recipient", "mx.test; jo@far.test"),
        ("X-Bounce-Status", "mx.test; 5.1.1"),
    ]
    assert body(mail) == content.split("\r\n\r\n", 1)[1].replace("\r\n", "\n").encode()
    names = re.findall(r"(?m)^([A-Za-z-]+):", mail.headers())
    assert names.index("X-Bounce-Kind") < names.index("From")
    event = host.daemon.wait_event()
    queue_id = event.pop("queue_id")
    assert queue_id and queue_id in host.postfix.log()
    for name in ("v", "time", "id", "stage"):
        event.pop(name, None)
    evidence = event.pop("evidence")
    assert evidence["rule"] and "User unknown" in evidence["match"]
    reply = event.pop("original")
    assert (reply["code"], reply["status"]) == (550, "5.1.1") and "User unknown" in reply["text"]
    assert event.pop("final") == reply
    assert event == {
        "event": "failure",
        "door": "milter",
        "client": {"addr": LOOPBACK, "name": event["client"]["name"], "helo": "client.test"},
        "sender": "news@sender.test",
        "recipient": "jo@far.test",
        "changed": False,
        "repairs": [],
        "category": "user-unknown",
        "permanent": True,
        "action": "review",
        "confidence": "high",
        "proof": "none",
        "reporting_mta": "mx.relay.test",
        "remote_mta": "mx.far.test",
        "message_id": "77@far.test",
    }


@pytest.mark.parametrize(
    "content, kind, category",
    [
        (dsn(), "failure", "user-unknown"),
        (dsn(group(text="450 4.2.2 mailbox full", status="4.2.2", action="delayed")), "delay", "mailbox-full"),
        (dsn(group(text="250 2.0.0 Ok", status="2.0.0", action="delivered")), "delivered", "delivered"),
        (FEEDBACK, "feedback", "feedback-report"),
        (plain("Out of office", Auto_Submitted="auto-replied"), "auto-reply", "auto-reply"),
    ],
    ids=["failure", "delay", "delivered", "feedback", "auto-reply"],
)  # fmt: skip
def test_each_kind(shared_host, content, kind, category):
    host = shared_host(TAG % "", doors=["milter"])
    found = dict(tags(report(host, content)))
    assert found["X-Bounce-Kind"] == f"mx.test; {kind}"
    assert found["X-Bounce-Category"] == f"mx.test; {category}"
    event = host.daemon.wait_event()
    assert (event["event"], event["category"]) == (kind, category)
    if kind != "failure":
        assert event["permanent"] is False or kind == "feedback"


def test_what_reports_nothing_is_let_be(shared_host):
    host = shared_host(TAG % "", doors=["milter"])
    for sender, content in (("", plain()), ("s@sender.test", plain()), ("s@sender.test", dsn())):
        mail = report(host, content, sender=sender)
        assert tags(mail) == []
        assert body(mail) == content.split("\r\n\r\n", 1)[1].replace("\r\n", "\n").encode()
    host.daemon.forget_events()
    assert host.daemon.events() == []


def test_each_recipient_has_its_event_and_its_headers(shared_host):
    host = shared_host(TAG % "", doors=["milter"])
    mail = report(
        host,
        dsn(group(), group("eve@far.test", "552 5.2.2 mailbox full", "5.2.2"), group("x@far.test", "554 5.7.1 spam", "5.7.1")),
    )
    assert [value for name, value in tags(mail) if name == "X-Bounce-Recipient"] == [
        "mx.test; jo@far.test",
        "mx.test; eve@far.test",
        "mx.test; x@far.test",
    ]
    assert [value for name, value in tags(mail) if name == "X-Bounce-Category"] == [
        "mx.test; user-unknown",
        "mx.test; mailbox-full",
        "mx.test; spam",
    ]
    events = host.daemon.wait_events(3)
    assert {event["recipient"]: event["category"] for event in events} == {
        "jo@far.test": "user-unknown",
        "eve@far.test": "mailbox-full",
        "x@far.test": "spam",
    }
    assert len({event["queue_id"] for event in events}) == 1


# ---- forgeries


# Of these nine, seven speak in the name of mx.test.
FORGED = (
    "X-Bounce-Category: other.test; spam\r\n"
    "X-Bounce-Category: mx.test; delivered\r\n"
    "X-Bounce-Action: MX.Test; suppress\r\n"
    "X-BOUNCE-CATEGORY: (as if) mx.test ; delivered\r\n"
    "X-Bounce-Category: third.test; mx.test\r\n"
    "X-Bounce-Category:\r\n mx.test;\r\n delivered\r\n"
    "X-Bounce-Recipient: mx.test; victim@far.test\r\n"
    'X-Bounce-Status: "mx.test"; 5.1.1\r\n'
    "X-Bounce-Kind : mx.test; delivered\r\n"
)


def test_headers_in_our_name_are_removed_first(shared_host):
    host = shared_host(TAG % "", doors=["milter"])
    mail = report(host, dsn(headers=FORGED))
    others = [("X-Bounce-Category", "other.test; spam"), ("X-Bounce-Category", "third.test; mx.test")]
    found = tags(mail)
    assert found[5:] == others
    assert [value for _, value in found[:5]] == [
        "mx.test; failure",
        "mx.test; user-unknown",
        "mx.test; review",
        "mx.test; jo@far.test",
        "mx.test; 5.1.1",
    ]
    # what reports nothing loses them too
    assert tags(report(host, FORGED + plain())) == others


def test_many_forged_headers(shared_host):
    host = shared_host(TAG % "", doors=["milter"])
    mail = report(host, dsn(headers=300 * "X-Bounce-Category: mx.test; delivered\r\n"))
    assert len(tags(mail)) == 5
    assert ("X-Bounce-Category", "mx.test; user-unknown") in tags(mail)


def test_without_tag_nothing_is_changed(shared_host):
    host = shared_host('site = { hostname = "mx.test"; };', doors=["milter"])
    assert tags(report(host, dsn(headers="X-Bounce-Category: mx.test; spam\r\n"))) == [
        ("X-Bounce-Category", "mx.test; spam")
    ]
    assert host.daemon.wait_event()["event"] == "failure"


def test_only_a_proof_gives_an_address_up(shared_host):
    policy = TAG % 'recipients = [ "bounces@local.test", "second@local.test" ];'
    host = shared_host(
        policy, doors=["milter"], settings={"local_recipient_maps": "", "recipient_delimiter": "+"}
    )
    verp = "bounces+jo=far.test@local.test"
    for what, recipient, source, proof, action in (
        (dsn(), ME, LOOPBACK, "none", "review"),
        (dsn(message_id="1@mx.test"), ME, LOOPBACK, "message-id", "suppress"),
        (dsn(message_id="mx.test@evil.test"), ME, LOOPBACK, "none", "review"),
        (dsn(reporting="mx.test"), ME, LOOPBACK, "none", "review"),
        (dsn(reporting="mx.test"), ME, INSIDER, "own-mta", "suppress"),
        (dsn(), verp, LOOPBACK, "verp", "suppress"),
        (dsn(group("eve@far.test")), verp, LOOPBACK, "none", "review"),
        (dsn(), "second@local.test", LOOPBACK, "none", "review"),
        (dsn(group("eve@far.test", "550 5.1.2 no such domain", "5.1.2")), ME, LOOPBACK, "none", "review"),
        (dsn(group("eve@far.test", "552 5.2.2 mailbox full", "5.2.2")), ME, LOOPBACK, "none", "retry"),
    ):  # fmt: skip
        host.daemon.forget_events()
        mail = report(host, what, recipient, source=source)
        event = host.daemon.wait_event()
        assert (event["proof"], event["action"]) == (proof, action), (recipient, what)
        assert dict(tags(mail))["X-Bounce-Action"] == f"mx.test; {action}"


@pytest.mark.parametrize("trust, none, message_id, own", [
    ("own-mta", "review", "review", "suppress"),
    ("proof", "review", "suppress", "suppress"),
    ("all", "suppress", "suppress", "suppress"),
])  # fmt: skip
def test_trust(shared_host, trust, none, message_id, own):
    host = shared_host(TAG % f'trust = "{trust}";', doors=["milter"])
    report(host, dsn())
    report(host, dsn(message_id="1@mx.test"))
    report(host, dsn(reporting="mx.test"), source=INSIDER)
    events = host.daemon.wait_events(3)
    assert [event["action"] for event in events] == [none, message_id, own]


# ---- Postfix's own


def bounced(host, said=b"550 5.1.1 <u@far.test>: no such user", recipient="u@far.test"):
    """Has Postfix bounce a mail; returns the bounce as the original's sender got it."""
    host.sink.refusals = {recipient: said}
    before = len(host.sink.mails)
    assert smtp.send(host.port, recipients=[recipient], source=INSIDER)["end"].code == 250
    return host.sink.wait_mail(before + 1)[before]


def without_what_changes(mail):
    """The mail's octets without queue ids, times and process numbers."""
    text = re.sub(r"\b[0-9A-F]{8,12}\b", "QUEUEID", mail.text)
    text = re.sub(r"\b\w{3}, +\d+ \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}( \(\w+\))?", "DATE", text)
    text = re.sub(r"\b\d{14}\b", "STAMP", text)
    return re.sub(r"QUEUEID\.\d+", "BOUNDARY", text)


def test_own_bounces_are_told_of_once_and_delivered_as_they_are(make_host):
    """Checks that would refuse everything, tags, a forged header: nothing of it touches Postfix's own mail."""
    refuse_all = (
        'checks = ( { name = "null"; when = { sender = ""; direction = "local"; }; then = { text = "No."; }; },'
        ' { name = "kind"; when = { kind = "*"; direction = "local"; }; then = { text = "No."; }; },'
        ' { name = "category"; when = { category = "*"; direction = "local"; }; then = { action = "discard"; }; } );'
    )
    host = make_host(TAG % "" + refuse_all, doors=["milter"], settings=OWN)
    seen = bounced(host)
    unseen = bounced(make_host("", doors=[]))
    assert without_what_changes(seen) == without_what_changes(unseen)
    assert tags(seen) == []
    event = host.daemon.wait_event()
    assert (event["event"], event["proof"], event["action"]) == ("failure", "own-mta", "suppress")
    assert (event["recipient"], event["category"]) == ("u@far.test", "user-unknown")
    assert (event["reporting_mta"], event["sender"]) == ("mx.test", "s@sender.test")
    assert event["original"]["status"] == "5.1.1" and event["original"]["code"] == 550
    assert "milter-reject" not in host.postfix.log() and "milter-discard" not in host.postfix.log()
    wait_for(lambda: not host.postfix.queued(), "the queue to be empty")


def test_own_success_reports(make_host):
    host = make_host("", doors=["milter"], settings=OWN, start=False)
    routes = host.postfix.settings["transport_maps"]
    host.postfix.settings["transport_maps"] = routes.rstrip(" }") + " }, { gone.test = discard: } }"
    host.start()
    with smtp.Smtp(host.port, source=INSIDER) as session:
        session.ehlo()
        session.mail()
        assert session.command("RCPT TO:<u@gone.test> NOTIFY=SUCCESS").code == 250
        session.data()
        assert session.message().code == 250
        session.quit()
    host.sink.wait_mail(recipient="s@sender.test")
    event = host.daemon.wait_event()
    assert (event["event"], event["recipient"], event["proof"]) == ("delivered", "u@gone.test", "own-mta")
    assert event["permanent"] is False


def test_own_bounces_of_many_at_once(make_host):
    host = make_host(TAG % "", doors=["milter"], settings=OWN)
    addresses = [f"u{number}@far.test" for number in range(30)]
    host.sink.refusals = {address: b"550 5.1.1 no such user" for address in addresses}
    threads = [
        threading.Thread(
            target=smtp.send, args=(host.port,), kwargs={"recipients": addresses[at::3], "source": INSIDER}
        )
        for at in range(3)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = host.daemon.wait_events(30, seconds=30)
    assert sorted(event["recipient"] for event in events) == sorted(addresses)
    assert {event["proof"] for event in events} == {"own-mta"}


def test_without_an_event_log_own_bounces_are_not_read(make_host):
    host = make_host('log = { rate = 1; }; ' + TAG % "", doors=["milter"], settings=OWN)
    seen = bounced(host)
    assert tags(seen) == []
    assert host.daemon.events() == []


# ---- limits


def test_a_report_over_max_body(shared_host):
    host = shared_host(TAG % 'max_body = "4K";', doors=["milter"])
    filler = 2000 * "More of the same.\r\n"
    mail = report(host, dsn(behind=filler))
    assert dict(tags(mail))["X-Bounce-Category"] == "mx.test; user-unknown"
    assert len(body(mail)) > 30000
    event = host.daemon.wait_event()
    assert (event["event"], event["incomplete"]) == ("failure", "max_body")
    host.daemon.forget_events()
    mail = report(host, plain() + filler + dsn())
    assert tags(mail) == []
    event = host.daemon.wait_event()
    assert (event["event"], event["incomplete"]) == ("unread", "max_body")
    host.daemon.forget_events()
    report(host, dsn())
    assert "incomplete" not in host.daemon.wait_event()


def test_reading_can_be_switched_off(shared_host):
    host = shared_host("bounces = { max_body = 0; };", doors=["milter"])
    assert tags(report(host, dsn())) == []
    assert host.daemon.events() == []


def test_above_the_memory_it_goes_on_unread(shared_host):
    host = shared_host(TAG % "" + ' limits = { memory = "1M"; };', doors=["milter"])
    content = dsn(behind=20000 * "More of the same.\r\n")
    mail = report(host, content)
    assert tags(mail) == []
    assert body(mail) == content.split("\r\n\r\n", 1)[1].replace("\r\n", "\n").encode()
    event = host.daemon.wait_event()
    assert (event["event"], event["incomplete"], event["category"]) == ("unread", "memory", "unclassified")
    assert "limits.memory" in host.daemon.errors()
    host.daemon.forget_events()
    assert len(tags(report(host, dsn()))) == 5


# ---- checks


@pytest.mark.parametrize(
    "when, refused",
    [
        ('kind = "failure";', True),
        ('kind = [ "delay", "feedback" ];', False),
        ('category = "user-unknown"; direction = "inbound";', True),
        ('category = "user-unknown"; direction = "outbound";', False),
        ('category = "!user-unknown";', False),
        ('kind = "failure"; recipient = "second@local.test";', False),
    ],
)
def test_checks_on_what_is_reported(shared_host, when, refused):
    check = 'checks = ( { name = "c"; when = { %s }; then = { code = 550; status = "5.7.1"; text = "No bounces here."; }; } );'
    host = shared_host(TAG % "" + check % when, doors=["milter"])
    end = smtp.send(host.port, sender="", recipients=[ME], content=dsn())["end"]
    assert (end.code, end.status) == ((550, "5.7.1") if refused else (250, "2.0.0"))
    # other mail is not even looked at
    assert smtp.send(host.port, recipients=[ME], content=dsn())["end"].code == 250
    events = host.daemon.wait_events(2 if refused else 1)
    assert [event["event"] for event in events] == (["failure", "refusal"] if refused else ["failure"])
    if refused:
        assert events[1]["check"] == "c" and events[1]["final"]["code"] == 550


def test_quarantine_and_discard(shared_host):
    for action, log in (("quarantine", "milter-hold"), ("discard", "milter-discard")):
        check = f'checks = ( {{ name = "c"; when = {{ kind = "feedback"; }}; then = {{ action = "{action}"; }}; }} );'
        host = shared_host(TAG % "" + check, doors=["milter"])
        mark = host.postfix.mark()
        assert smtp.send(host.port, sender="", recipients=[ME], content=FEEDBACK)["end"].code == 250
        host.postfix.wait_log(log, mark)
        assert {event["event"] for event in host.daemon.wait_events(2)} == {"feedback", "refusal"}
        host.daemon.forget_events()
        report(host, dsn())


# ---- what it means


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 <jo@far.test>: Recipient address rejected: User unknown in virtual mailbox table",
        "552 5.2.2 <jo@far.test>: The mailbox is over quota",
        "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org",
        "550 5.7.26 This mail has been blocked because the sender is unauthenticated",
        "452 4.2.2 The email account that you tried to reach is over quota",
        "550 5.7.1 our partner's odd wording",
    ],
)
def test_a_text_means_the_same_as_reply_and_in_a_report(shared_host, text):
    rules = 'classify = { rules = ( { name = "odd"; category = "policy"; text = "/odd wording/"; } ); };'
    host = shared_host(rules, doors=["milter", "footer"])
    host.postfix.postmap(text, f"socketmap:unix:{host.daemon.tables}:footer")
    final = text[0] == "5"
    report(host, dsn(group(text=text, status=text[4:9].strip(), action="failed" if final else "delayed")))
    reply, told = host.daemon.wait_event(door="footer"), host.daemon.wait_event(door="milter")
    for member in ("category", "permanent", "confidence"):
        assert reply[member] == told[member], member
    assert reply["evidence"]["rule"] == told["evidence"]["rule"]
    assert reply.get("dnsbl") == told.get("dnsbl")


def test_site_rules_are_counted(make_host):
    rules = (
        'classify = { rules = ( { name = "odd"; category = "mailbox-full"; text = "*odd*"; },'
        ' { category = "spam"; code = 599; } ); };'
    )
    host = make_host(TAG % "" + rules, doors=["milter"])
    odd = dsn(group(text="550 5.7.1 an odd answer", status="5.7.1"))
    for count in (1, 2):
        assert dict(tags(report(host, odd)))["X-Bounce-Category"] == "mx.test; mailbox-full"
        event = host.daemon.wait_events(count)[-1]
        assert event["evidence"]["rule"] == "site:odd" and "odd answer" in event["evidence"]["match"]
        assert event["confidence"] == "high"
    said = "site rules have decided since the policy was loaded: odd %d, 2 0"
    host.daemon.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: said % 2 in host.daemon.errors(), "the counts on SIGUSR1")
    host.daemon.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: host.daemon.errors().count(said % 2) == 2, "the counts once more")
    host.daemon.reload()
    assert host.daemon.errors().count(said % 2) == 3
    report(host, odd)
    host.daemon.wait_events(3)
    host.daemon.stop()
    assert said % 1 in host.daemon.errors()


# ---- privacy


@pytest.mark.parametrize("addresses, client", [("domain", "prefix"), ("hashed", "hashed")])
def test_privacy(make_host, folder, addresses, client):
    key = folder + "/key"
    with open(key, "wb") as file:
        file.write(32 * b"k")
    host = make_host(
        TAG % "",
        doors=["milter"],
        log=f'addresses = "{addresses}"; client = "{client}"; key_file = "{key}";',
        start=False,
    )
    os.chmod(key, 0o600)
    host.start()
    text = "550 5.1.1 <jo.secret@far.test>: jo.secret%40far.test is no user here, 198.51.100.77"
    report(
        host,
        dsn(group("jo.secret@far.test", text), message_id="jo.secret@far.test", words="jo.secret@far.test"),
        helo="secret-client.far.test",
    )
    event = host.daemon.wait_event()
    raw = host.daemon.raw_events().decode()
    for secret in ("jo.secret", "news@sender", "198.51.100.77", "secret-client", LOOPBACK):
        assert secret not in raw, secret
    if addresses == "domain":
        assert (event["recipient"], event["sender"]) == ("*@far.test", "*@sender.test")
        assert event["client"]["addr"] == "127.0.0.0/24"
        assert event["message_id"] == "*@far.test"
    else:
        assert all(event[name].startswith("hash:") for name in ("recipient", "sender", "message_id"))


# ---- many at once, and clients that leave


def test_many_at_once(shared_host):
    host = shared_host(TAG % "", doors=["milter"])
    threads, each, problems = 8, 6, []

    def send_some(number):
        for at in range(each):
            address = f"jo{number}x{at}@far.test"
            try:
                end = smtp.send(host.port, sender="", recipients=[ME], content=dsn(group(address)))["end"]
                assert end.code == 250
                smtp.send(host.port, recipients=[ME])
            except Exception as error:  # pylint: disable=broad-except
                problems.append(error)

    workers = [threading.Thread(target=send_some, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    host.daemon.reload()
    for worker in workers:
        worker.join()
    assert not problems
    mails = host.sink.wait_mail(2 * threads * each, seconds=60)
    recipients = {value.split("; ")[1] for mail in mails for name, value in tags(mail) if name == "X-Bounce-Recipient"}
    wanted = {f"jo{number}x{at}@far.test" for number in range(threads) for at in range(each)}
    assert recipients == wanted
    events = host.daemon.wait_events(threads * each)
    assert {event["recipient"] for event in events} == wanted and len(events) == len(wanted)


def test_a_client_that_leaves_in_the_middle(shared_host):
    host = shared_host(TAG % "", doors=["milter"])
    for part in (0.3, 0.9):
        with smtp.Smtp(host.port) as session:
            session.ehlo()
            session.mail("")
            session.rcpt(ME)
            session.data()
            content = dsn().encode()
            session.socket.sendall(content[: int(len(content) * part)])
    assert len(tags(report(host, dsn()))) == 5
    host.daemon.wait_event()
    assert len(host.daemon.events()) == 1


def test_a_session_has_many_reports(shared_host):
    """Nothing of one is left in the next."""
    host = shared_host(TAG % "", doors=["milter"])
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        for sender, content in (("", dsn()), ("s@sender.test", dsn()), ("", plain()), ("", dsn(group("eve@far.test")))):
            session.mail(sender)
            session.rcpt(ME)
            session.data()
            assert session.message(content).code == 250
        session.quit()
    mails = sorted(host.sink.wait_mail(4), key=lambda mail: len(tags(mail)))
    assert [len(tags(mail)) for mail in mails] == [0, 0, 5, 5]
    assert {event["recipient"] for event in host.daemon.wait_events(2)} == {"jo@far.test", "eve@far.test"}


@pytest.mark.parametrize(
    "content",
    [
        dsn()[:400],
        dsn().replace("--=b--", ""),
        dsn().replace("\r\n\r\n", "\r\n"),
        dsn(group("\u00fc@far.test")).replace("Content-Type: message", "X: message"),
        "\r\n",
        "x\r\n",
        "Content-Type: multipart/report; boundary=" + 900 * "b" + "\r\n\r\n" + 1000 * "--b\r\n",
        dsn(*[group(f"u{number}@far.test") for number in range(300)]),
        dsn(group("a@b\x01\x1b[31m"), headers="Subject: =?utf-8?q?=0D=0AX-Bounce-Kind:_mx.test;_x?=\r\n"),
    ],
    ids=["cut", "open", "no-blank", "8-bit", "empty", "x", "boundary", "many", "controls"],
)
def test_odd_reports_go_through(shared_host, content):
    host = shared_host(TAG % "", doors=["milter"])
    mail = report(host, content.encode("utf-8"))
    assert len(tags(mail)) <= 5 * 20
    for name, value in tags(mail):
        assert value.startswith("mx.test; "), (name, value)
        assert all(" " <= letter <= "~" for letter in value)
    for event in host.daemon.events():
        assert event["event"] in ("failure", "delay", "delivered", "unread", "auto-reply")
