"""The milter door watches: each recipient that Postfix refuses becomes an event, and the refusal stays what it was."""

import pytest
from harness import smtp

RESTRICTIONS = {
    "smtpd_helo_restrictions": "check_helo_access inline:{ { badhelo.test = REJECT no such helo here } }",
    "smtpd_sender_restrictions": "check_sender_access inline:{ { bad@sender.test = REJECT bad sender by map } }",
    "smtpd_client_restrictions": "check_client_access inline:{ { 127.0.0.3 = REJECT your address is blocked } }",
    "smtpd_recipient_restrictions": "check_recipient_access inline:{ { second@local.test = REJECT policy says no }, "
    "{ third@local.test = DEFER come back later } }",
}

FULL = {"transport_maps": "inline:{ { postmaster@local.test = error:5.2.2 the mailbox is full } }"}

# name, what the client does, the reply's code, its status, the text in the event, the category (None: whichever)
REFUSALS = [
    ("unknown-user", {"recipients": ["nouser@local.test"]}, 550, "5.1.1",
     "Recipient address rejected: User unknown in local recipient table", "user-unknown"),
    ("relay", {"recipients": ["x@else.test"]}, 554, "5.7.1", "Relay access denied", "relay-denied"),
    ("policy", {"recipients": ["second@local.test"]}, 554, "5.7.1", "Recipient address rejected: policy says no", None),
    ("deferred", {"recipients": ["third@local.test"]}, 450, "4.7.1", "Recipient address rejected: come back later", None),
    ("full", {"recipients": ["postmaster@local.test"]}, 550, "5.2.2", "Recipient address rejected: the mailbox is full", "mailbox-full"),
    ("sender", {"sender": "bad@sender.test"}, 554, "5.7.1", "Sender address rejected: bad sender by map", None),
    ("helo", {"helo": "badhelo.test"}, 554, "5.7.1", "Helo command rejected: no such helo here", None),
    ("client", {"source": "127.0.0.3"}, 554, "5.7.1", "Client host rejected: your address is blocked", None),
]  # fmt: skip


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
@pytest.mark.parametrize(
    "what, mail, code, status, text, category", REFUSALS, ids=[row[0] for row in REFUSALS]
)
def test_refused_recipient_is_an_event(
    shared_host, chroot, what, mail, code, status, text, category
):
    host = shared_host(doors=["milter"], chroot=chroot, smtpd=RESTRICTIONS, settings=FULL)
    reply = smtp.send(host.port, **mail)["rcpt"][0]
    assert (reply.code, reply.status, len(reply.lines)) == (code, status, 1)
    event = host.daemon.wait_event(event="refusal")
    recipient = mail.get("recipients", ["user@local.test"])[0]
    assert (event["v"], event["door"], event["stage"], event["recipient"]) == (
        1,
        "milter",
        "rcpt",
        recipient,
    )
    assert event["sender"] == mail.get("sender", "s@sender.test")
    assert event["client"]["addr"] == mail.get("source", "127.0.0.1")
    assert event["client"]["helo"] == mail.get("helo", "client.test")
    assert event["original"]["status"] == status
    assert text in str(event["original"]["text"])
    assert event["final"] == event["original"] and event["changed"] is False
    assert not event.get("reference")
    if category:
        assert event["category"] == category
    assert (
        event["category"] and event["action"] and event["confidence"] in ("high", "medium", "low")
    )


def test_a_refusal_of_4xx_is_never_permanent(shared_host):
    host = shared_host(doors=["milter"], settings={"unknown_local_recipient_reject_code": "450"})
    assert smtp.send(host.port, recipients=["nouser@local.test"])["rcpt"][0].code == 450
    event = host.daemon.wait_event(event="refusal")
    assert (event["permanent"], event["action"], event["category"]) == (
        False,
        "retry",
        "user-unknown",
    )


def test_recipients_after_a_refused_one_are_served(shared_host):
    host = shared_host(doors=["milter"])
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        codes = [
            session.rcpt(who).code
            for who in ("nouser@local.test", "user@local.test", "x@else.test", "second@local.test")
        ]
        assert codes == [550, 250, 554, 250]
        session.data()
        assert session.message().code == 250
        # a further message of the same session
        session.mail("other@sender.test")
        assert session.rcpt("nouser2@local.test").code == 550
        session.quit()
    assert sorted(host.sink.wait_mail()[0].recipients) == ["second@local.test", "user@local.test"]
    events = host.daemon.wait_events(3, event="refusal")
    assert [(event["sender"], event["recipient"]) for event in events] == [
        ("s@sender.test", "nouser@local.test"),
        ("s@sender.test", "x@else.test"),
        ("other@sender.test", "nouser2@local.test"),
    ]
    assert len({event["id"] for event in events}) == 3


def test_what_is_accepted_is_no_event(shared_host):
    host = shared_host(doors=["milter", "footer", "delivery"])
    assert smtp.send(host.port)["end"].code == 250
    host.sink.wait_mail()
    assert host.daemon.events() == []


def test_without_delay_reject_the_milter_sees_nothing_and_the_table_does(shared_host):
    """Refusals at connect, HELO and MAIL never reach a milter; the footer table is asked about them."""
    host = shared_host(smtpd=RESTRICTIONS | {"smtpd_delay_reject": "no"})
    with smtp.Smtp(host.port) as session:
        assert session.ehlo("badhelo.test").code == 554
        session.quit()
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        assert session.mail("bad@sender.test").code == 554
        session.quit()
    assert host.daemon.events(door="milter") == []


def test_a_syntax_error_is_neither_event_nor_changed(shared_host):
    host = shared_host()
    with smtp.Smtp(host.port) as session:
        session.ehlo()
        session.mail()
        reply = session.command("RCPT TO:<a b@local.test")
        assert reply.code in (501, 555) and len(reply.lines) == 1
        assert len(session.command("NONSENSE").lines) == 1
        session.quit()
    assert host.daemon.events(door="milter") == []


def test_queue_id(shared_host):
    """Known once a recipient was taken, or from the start if Postfix is told to open the queue file early."""
    early = {
        "smtpd_delay_open_until_valid_rcpt": "no",
        "milter_rcpt_macros": "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    }
    for settings in ({}, early):
        host = shared_host(doors=["milter"], settings=settings)
        smtp.send(host.port, recipients=["nouser@local.test"])
        event = host.daemon.wait_event(event="refusal")
        log = host.postfix.wait_log("reject: RCPT")[0]
        assert bool(event.get("queue_id")) == (settings is early)
        assert (event.get("queue_id") or "NOQUEUE") in log


def test_login_name_and_networks_give_the_direction(shared_host):
    host = shared_host(policy='site = { networks = [ "127.0.0.4" ]; };', doors=["milter"])
    for source in ("127.0.0.1", "127.0.0.4"):
        smtp.send(host.port, recipients=["nouser@local.test"], source=source)
    events = host.daemon.wait_events(2)
    assert [event["client"]["addr"] for event in events] == ["127.0.0.1", "127.0.0.4"]
