"""The milter door by its socket: what is negotiated, what each answer is to the octet, and clients that no MTA is."""

import contextlib
import os
import random
import socket
import struct
import threading
import time

import pytest
from harness import milter
from harness.filter import Filter
from harness.milter import (
    ADDHDRS,
    CHGHDRS,
    NOBODY,
    NOEOH,
    NOHDRS,
    NR_BODY,
    NR_CONN,
    NR_DATA,
    NR_EOH,
    NR_HDR,
    NR_HELO,
    NR_MAIL,
    NR_RCPT,
    QUARANTINE,
    RCPT_REJ,
    SETSYMLIST,
    Milter,
)
from harness.net import slow

pytestmark = pytest.mark.threaded

NOT_HERE = 'code = 550; status = "5.7.1"; text = "Not here."'
REFUSED = b"550 5.7.1 Not here."
UNKNOWN = "Recipient address rejected: User unknown in local recipient table"


def check(when, then=NOT_HERE, name="the-check"):
    return f'checks = ( {{ name = "{name}"; when = {{ {when} }}; then = {{ {then} }}; }} );'


@pytest.fixture
def start(shared_daemon):
    return lambda policy="": shared_daemon(policy, tables=False)


@pytest.fixture
def session(start):
    """session(policy, **connect): a daemon of that policy, and a session with it after HELO."""
    opened = []

    def started(policy="", **connect):
        daemon = start(policy)
        opened.append(Milter(daemon.socket).start(**connect))
        return daemon, opened[-1]

    yield started
    for one in opened:
        one.close()


# ---- negotiation

TAG = "bounces = { tag = true; };"
NO_REPORTS = " bounces = { max_body = 0; };"

# what the policy has, and what must (not) have been asked of the MTA
NEGOTIATED = [
    ("reports", "", NR_HDR | NR_BODY | NR_EOH | NR_CONN | NR_HELO | NR_MAIL, NOHDRS | NOBODY | NOEOH, 0),
    ("tags", TAG, NR_HDR | NR_BODY | NR_EOH | NR_CONN | NR_HELO | NR_MAIL, NOHDRS | NOBODY | NOEOH, ADDHDRS | CHGHDRS),
    ("kind", check('kind = "feedback";'), NR_HDR | NR_BODY | NR_EOH | NR_MAIL, NOHDRS | NOBODY | NOEOH, 0),
    ("nothing", NO_REPORTS, NOHDRS | NOBODY | NOEOH | NR_CONN | NR_HELO | NR_MAIL, 0, 0),
    ("client", check('client = "192.0.2.1";') + NO_REPORTS, NOHDRS | NOBODY | NR_CONN | NR_HELO | NR_MAIL, 0, 0),
    ("helo at once", check('helo = "x";', NOT_HERE + "; at_once = true") + NO_REPORTS, NR_CONN | NR_MAIL | NOHDRS | NOBODY, NR_HELO, 0),
    ("sender", check('sender = "a@b.test";') + NO_REPORTS, NR_CONN | NR_HELO | NOHDRS | NOBODY, NR_MAIL, 0),
    ("recipient", check('recipient = "a@b.test";') + NO_REPORTS, NR_CONN | NR_HELO | NR_MAIL | NOHDRS | NOBODY, 0, 0),
    ("data", check('stage = "data"; sender = "a@b.test";') + NO_REPORTS, NR_CONN | NR_HELO | NR_MAIL | NOHDRS | NOBODY, 0, 0),
    ("header", check('header = "Subject: *x*";') + NO_REPORTS, NR_MAIL | NOBODY, NOHDRS | NOEOH | NR_EOH, 0),
    ("size", check('size = ">10";') + NO_REPORTS, NR_MAIL | NR_BODY | NR_EOH, NOBODY | NOHDRS | NOEOH, 0),
    ("quarantine", check('sender = "a@b.test";', 'action = "quarantine"') + NO_REPORTS, NOHDRS | NOBODY, 0, QUARANTINE),
]  # fmt: skip


@pytest.mark.parametrize(
    "what, policy, asked, not_asked, actions", NEGOTIATED, ids=[row[0] for row in NEGOTIATED]
)
def test_only_what_the_policy_needs_is_asked_for(start, what, policy, asked, not_asked, actions):
    daemon = start(policy)
    with Milter(daemon.socket) as client:
        client.negotiate()
        assert client.steps & asked == asked
        assert client.steps & (not_asked | NR_RCPT | NR_DATA) == 0
        assert client.steps & RCPT_REJ
        assert client.actions == actions | SETSYMLIST
        wanted = {name for names in client.macros.values() for name in names}
        assert {"i", "j", "{rcpt_mailer}", "{rcpt_host}", "{rcpt_addr}", "{auth_authen}"} <= wanted


def test_only_what_may_report_is_read(session):
    """Reports come with the null sender, or to those who take them; all else is accepted at DATA, unread."""
    policy = 'bounces = { tag = true; recipients = [ "bounces@*", "fbl@local.test" ]; };'
    daemon, client = session(policy)
    for sender, recipient, answer in (
        ("<s@sender.test>", "<user@local.test>", "a"),
        ("<>", "<user@local.test>", "c"),
        ("<s@sender.test>", "<FBL@local.test>", "c"),
        ("<s@sender.test>", "<bounces+u=far.test@local.test>", "c"),
        ("<s@sender.test>", "<bounces+u@local.test>", "a"),
        ("<bounces@local.test>", "<user@local.test>", "a"),
    ):
        client.mail(sender)
        client.rcpt(recipient)
        assert client.data() == answer, (sender, recipient)
        client.abort()
    client.mail("<s@sender.test>")
    client.rcpt("<user@local.test>")
    client.rcpt("<fbl@local.test>")
    assert client.data() == "c"


@pytest.mark.parametrize(
    "steps, actions", [(0x7F, 0x3F), (0x1FF, 0x3F), (0xFFF, 0x1FF), (milter.ALL_STEPS, 0)]
)
def test_an_mta_that_offers_less(start, steps, actions):
    """Nothing is asked for that was not offered, each stage is answered then, and the check speaks."""
    daemon = start(check('recipient = "second@local.test";'))
    with Milter(daemon.socket, steps=steps, actions=actions) as client:
        client.negotiate()
        assert client.steps & ~steps == 0 and client.actions & ~actions == 0
        for answer in (client.connect(), client.helo(), client.mail()):
            assert answer is None or answer == "c"
        answer = client.rcpt("<second@local.test>")
        assert (answer.kind, answer.text) == ("y", REFUSED)
        assert client.rcpt() == "c"
        assert client.message().kind in "ac"


def test_an_mta_of_version_2(start):
    daemon = start(check('recipient = "second@local.test";'))
    with Milter(daemon.socket, version=2, steps=0x7F, actions=0x3F) as client:
        client.start()
        client.mail()
        assert client.rcpt("<second@local.test>").text == REFUSED


# ---- refusals that are watched


def test_refused_recipients_are_watched(session):
    daemon, client = session(check('recipient = "nobody@local.test";'))
    client.mail("<s@sender.test>")
    assert client.refused_rcpt("<nobody@local.test>", "5.1.1", UNKNOWN) == "c"
    assert client.refused_rcpt("<x@else.test>", "5.7.1", "Relay access denied", i="4ABC") == "c"
    assert client.rcpt("<user@local.test>", rcpt_mailer="local", rcpt_host="", rcpt_addr="u") == "c"
    assert client.message() == "a"
    first, second = daemon.wait_events(2)
    assert (first["recipient"], first["original"], first["category"]) == (
        "nobody@local.test",
        {"status": "5.1.1", "text": UNKNOWN},
        "user-unknown",
    )
    assert "queue_id" not in first and second["queue_id"] == "4ABC"
    assert (second["original"]["status"], second["category"]) == ("5.7.1", "relay-denied")
    for event in (first, second):
        assert (event["event"], event["stage"], event["sender"]) == (
            "refusal",
            "rcpt",
            "s@sender.test",
        )
        assert event["client"] == {
            "addr": "192.0.2.1",
            "name": "client.test",
            "helo": "client.test",
        }
        assert event["final"] == event["original"] and not event["changed"]
    assert len(daemon.events()) == 2


def test_sendmail_puts_code_and_status_into_the_text(session):
    daemon, client = session()
    client.mail("<s@sender.test>", i="6ALLt0Qs022768")
    answer = client.refused_rcpt(
        "<nobody@local.test>", "5.1.1", "550 5.1.1 User unknown", i="6ALLt0Qs022768"
    )
    assert answer == "c"
    event = daemon.wait_event()
    assert event["original"] == {"code": 550, "status": "5.1.1", "text": "User unknown"}
    assert (event["category"], event["queue_id"]) == ("user-unknown", "6ALLt0Qs022768")


@pytest.mark.parametrize(
    "text",
    ["", "550", "999 9.9.9 x", b"\xff\xfe\x01\r\n250 2.0.0 Ok", 60000 * "x", 30000 * "\u00e9"],
    ids=["empty", "code", "999", "octets", "long", "letters"],
)
def test_odd_refusals_are_events_too(session, text):
    daemon, client = session()
    client.mail()
    assert client.refused_rcpt("<nobody@local.test>", "5.1.1", text) == "c"
    event = daemon.wait_event(recipient="nobody@local.test")
    assert event["event"] == "refusal" and event["original"]["status"] == "5.1.1"
    assert "\n" not in event["original"]["text"] and "\r" not in event["original"]["text"]


@pytest.mark.parametrize(
    "macros",
    [{}, {"rcpt_host": ""}, {"rcpt_host": "rubbish"}, {"rcpt_host": 30000 * "5."}],
    ids=range(4),
)
def test_the_error_transport_is_no_refusal(session, macros):
    """Postfix takes a recipient for its error transport, and only bounces it later: the status says which it is."""
    daemon, client = session(check('recipient = "second@local.test";'))
    client.mail()
    assert client.rcpt("<nobody@local.test>", rcpt_mailer="error", rcpt_addr="no", **macros) == "c"
    assert client.rcpt("<second@local.test>", rcpt_mailer="error", **macros).text == REFUSED
    assert [event["recipient"] for event in daemon.wait_events()] == ["second@local.test"]


# ---- the MTA's own mail

OWN = [
    check('sender = "";'),
    check('recipient = "*";'),
    check('client = "127.0.0.1";'),
    check('header = "Subject: *";'),
    check('size = ">1";'),
    check('recipient = "*";', 'action = "discard"'),
    check('header = "Subject: *";', 'action = "quarantine"'),
]


@pytest.mark.parametrize("policy", OWN)
def test_own_mail_is_never_touched(session, policy):
    """Port 0, and a sender without brackets: a bounce that Postfix has made."""
    daemon, client = session(policy, address="127.0.0.1", name="localhost", port=0)
    for _ in range(2):
        answer = client.mail("")
        assert answer is None or answer == "c"
        assert client.rcpt("s@sender.test") == "c"
        assert client.message(headers=[("Subject", "Undelivered")]).kind in "ac"
    assert daemon.events() == []


def test_a_null_sender_from_elsewhere_is_mail_like_any(session):
    for connect, sender in (({"port": 40000}, "<>"), ({"port": 0, "address": "127.0.0.1"}, "<>")):
        daemon, client = session(check('sender = "";'), **connect)
        assert client.mail(sender).text == REFUSED
    daemon, client = session(check('sender = "";'), port=40000)
    assert client.mail("").text == REFUSED


# ---- answers to the octet


def texts(*lines):
    return ", ".join('"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"' for line in lines)


@pytest.mark.parametrize(
    "when, stage",
    [('recipient = "*";', "rcpt"), ('sender = "*";', "mail"), ('header = "Subject: *";', "eoh"),
     ('stage = "data"; sender = "*";', "data"), ('size = ">0";', "eom")],
)  # fmt: skip
@pytest.mark.parametrize(
    "lines, said",
    [
        (["Not here."], b"550 5.7.1 Not here."),
        (["100% %s %d %%n"], b"550 5.7.1 100%% %%s %%d %%n"),
        (["$5 `id` \\n \\c"], b"550 5.7.1 $5 `id` \\n \\c"),
        (["One.", "100%", "Three."], b"550-5.7.1 One.\r\n550-5.7.1 100%%\r\n550 5.7.1 Three."),
    ],
    ids=["plain", "percent", "signs", "lines"],
)
def test_replies(session, when, stage, lines, said):
    daemon, client = session(
        check(when, f'code = 550; status = "5.7.1"; text = [ {texts(*lines)} ]')
    )
    answer = client.mail()
    if stage != "mail":
        answer = client.rcpt()
        if stage != "rcpt":
            assert answer == "c"
            answer = client.message()
    assert (answer.kind, answer.text) == ("y", said)
    event = daemon.wait_event(door="milter")
    assert event["stage"] == {"eoh": "eom"}.get(stage, stage)
    assert event["final"]["text"] == " ".join(lines).replace("%%", "%")


def test_what_the_client_says_is_escaped(session):
    """Neither a percent sign nor an octet of the client's gets a meaning in the reply."""
    policy = check(
        'recipient = "*";', 'code = 550; status = "5.7.1"; text = "You: %{helo} %{sender}"'
    )
    for helo, sender, said in (
        (b"100%s%n", b"<a%d@x.test>", b"550 5.7.1 You: 100%%s%%n a%%d@x.test"),
        (b"a\r\n250 Ok", b"<s@x.test>", None),
        (b"a\nb", b'<"a\r\nb"@x.test>', None),
        (b"\x01\x1b[31m\x7f", b"<\xff\xfe@x.test>", None),
    ):
        daemon, client = session(policy)
        client.helo(helo)
        client.mail(sender)
        answer = client.rcpt("<user@local.test>")
        assert answer == "y"
        if said:
            assert answer.text == said
        assert answer.text.startswith(b"550 5.7.1 ") and b"\n" not in answer.text
        assert all(32 <= octet < 127 for octet in answer.text)


def test_codes_of_4xx_and_421(session):
    for code, status in ((450, "4.7.1"), (421, "4.7.0"), (451, "4.3.0")):
        daemon, client = session(
            check('recipient = "*";', f'code = {code}; status = "{status}"; text = "Later."')
        )
        client.mail()
        assert client.rcpt().text == b"%d %s Later." % (code, status.encode())
        assert daemon.wait_event()["permanent"] is False


# ---- a session's life


def test_a_session_has_many_messages(session):
    """Nothing of one message is left in the next: sender, recipients, headers, size."""
    daemon, client = session(
        'checks = ( { name = "a"; when = { header = "Subject: *bad*"; }; then = { %s; }; },'
        ' { name = "b"; when = { size = ">5000"; }; then = { code = 552; status = "5.3.4"; text = "Too large."; }; } );'
        % NOT_HERE
    )
    for _ in range(3):
        for subject, content, said in (
            ("bad", "x\r\n", REFUSED),
            ("good", "x\r\n", None),
            ("good", 6000 * "x", b"552 5.3.4 Too large."),
        ):
            client.mail()
            client.rcpt()
            answer = client.message([("Subject", subject)], content)
            assert answer.text == said if said else answer.kind in "ac"
    # left in the middle of the headers
    client.mail()
    client.rcpt()
    client.data()
    client.header("Subject", "bad")
    client.abort()
    client.mail()
    client.rcpt()
    assert client.message([("X-Other", "x")]).kind in "ac"
    assert len(daemon.events()) == 6


def test_an_authenticated_user_is_one_messages_own(session):
    """libmilter keeps the macros of MAIL until others come: so one is asked for that there always is."""
    daemon, client = session(check('auth_user = "joe";'))
    assert "j" in client.macros[2]
    for user, refused in (("joe", True), (None, False), ("joe", True), ("ann", False)):
        macros = {"auth_authen": user} if user else {}
        assert (client.mail(j="mx.test", **macros) == "y") == refused
        client.abort()


def test_sessions_end_at_their_next_message_when_told_to_stop(make_daemon):
    """A session in mid-message is served to its end, one that would begin another is closed."""
    daemon = make_daemon(check('header = "Subject: *bad*";'), tables=False)
    daemon.start()
    with Milter(daemon.socket).start() as writing, Milter(daemon.socket).start() as idle:
        with Milter(daemon.socket).start() as at_start:
            idle.mail()
            assert idle.rcpt() == "c"
            assert idle.message().kind in "ac"
            writing.mail()
            assert writing.rcpt() == "c"
            ending = threading.Thread(target=daemon.stop)
            ending.start()
            time.sleep(slow(0.5))
            for client in (idle, at_start):
                with pytest.raises(ConnectionError):
                    client.mail()
                    client.rcpt()
        assert ending.is_alive()
        assert writing.message([("Subject", "bad")]).text == REFUSED
        with pytest.raises(ConnectionError):
            writing.mail()
            writing.rcpt()
        ending.join()
    assert [event["final"]["code"] for event in daemon.events()] == [550]
    assert "under way" not in daemon.errors()


def test_header_values_as_the_mta_sends_them(session):
    daemon, client = session(check('header = [ "Subject: *lottery*", "/^X-Spam: *yes$/i" ];'))
    for name, value, refused in (
        ("Subject", "the lottery", True),
        ("SUBJECT", " the\n\tlottery", True),
        ("x-spam", "YES", True),
        ("X-Spam", "yes, but no", False),
        ("X-Subject", "lottery", False),
        ("Subject", "", False),
    ):
        client.mail()
        client.rcpt()
        answer = client.message([("From", "a@b"), (name, value), ("To", "c@d")])
        assert (answer == "y") == refused, (name, value, answer)


def test_too_many_headers_count_as_not_known(session):
    """Above the bounds nothing is guessed: the check does not match, and the log of the daemon says so, once a minute."""
    daemon, client = session(check('header = "Subject: *bad*";'))
    for headers in ([("X-Long", 60000 * "x")] * 12, [("X-Many", "x")] * 3000):
        client.mail()
        client.rcpt()
        assert client.message([*headers, ("Subject", "bad")]).kind in "ac"
        assert "headers are more than the limits allow" in daemon.errors()
        client.mail()
        client.rcpt()
        assert client.message([("Subject", "bad")]).text == REFUSED


def test_memory_of_all_sessions_is_bounded(session):
    policy = check('header = "Subject: *bad*";') + ' limits = { memory = "1M"; };'
    daemon, first = session(policy)
    others = [Milter(daemon.socket).start() for _ in range(8)]
    for client in others:
        client.mail()
        client.rcpt()
        client.data()
        for _ in range(5):
            client.header("X-Long", 50000 * "x")
    assert "headers are more than the limits allow" in daemon.errors()
    for client in others:
        client.close()
    with Milter(daemon.socket) as client:
        # what the others kept has been given back when their ends were noticed
        for _ in range(50):
            client.__init__(daemon.socket)
            client.start()
            client.mail()
            client.rcpt()
            if client.message([("Subject", "bad")]) == "y":
                break
            client.close()
        else:
            pytest.fail("the memory was not given back")


def test_a_mail_without_headers(session):
    """libmilter has no way from DATA to a body, or to the end, but by headers or their end."""
    for content in ("Hello.\r\n", ""):
        _, client = session("bounces = { tag = true; };")
        client.mail("<>")
        client.rcpt()
        assert client.data() == "c"
        client.end_of_headers()
        if content:
            client.body(content)
        assert client.end()[-1] == "c"
        client.quit()


def test_sessions_over_the_limit_are_let_through(start):
    daemon = start(check('recipient = "*";') + " limits = { sessions = 3; };")
    within = [Milter(daemon.socket).start() for _ in range(3)]
    with Milter(daemon.socket) as over:
        over.negotiate()
        assert over.connect() == "a"
    assert "limits.sessions" in daemon.errors()
    for client in within:
        client.mail()
        assert client.rcpt().text == REFUSED
        client.quit()
    # as soon as the ends were noticed
    for _ in range(100):
        with Milter(daemon.socket) as again:
            again.negotiate()
            if again.connect() is None:
                again.helo()
                again.mail()
                assert again.rcpt().text == REFUSED
                break
    else:
        pytest.fail("there is still no room for a session")


def test_sessions_over_the_limit_are_put_off_for_filters(start):
    """What the filters would have refused must not pass; and they are not asked for nothing."""
    with contextlib.closing(Filter()) as behind:
        section = f'filters = ( {{ name = "behind"; socket = "{behind.socket}"; }} );'
        daemon = start(f"{section} limits = {{ sessions = 1; }};")
        with Milter(daemon.socket).start() as within, Milter(daemon.socket) as over:
            over.negotiate()
            assert over.connect() == "t"
            assert len(behind.sessions) == 1
            within.quit()


def test_a_new_client_on_the_same_connection(session):
    """QUIT_NC: the MTA keeps the connection for the next client."""
    daemon, client = session(check('client = "192.0.2.66"; helo = "bad.test";'))
    for address, helo, refused in (
        ("192.0.2.66", "bad.test", True),
        ("192.0.2.67", "bad.test", False),
        ("192.0.2.66", "good.test", False),
        ("192.0.2.66", "bad.test", True),
    ):
        client.mail()
        client.abort()
        client.send(b"K")
        client.connect(address)
        client.helo(helo)
        client.mail()
        assert (client.rcpt() == "y") == refused
        client.abort()


def test_a_kept_connection_without_a_client(session):
    """QUIT_NC, and then no CONNECT: nothing is known of the client."""
    daemon, client = session(check('sender = "bad@sender.test";'))
    client.mail()
    client.abort()
    client.send(b"K")
    client.mail("<good@sender.test>")
    assert client.refused_rcpt("<nobody@local.test>", "5.1.1", UNKNOWN) == "c"
    assert daemon.wait_event().get("client", {}).get("addr") is None
    client.abort()
    alive(daemon)


# ---- clients that no MTA is


def alive(daemon):
    """A session after all that is served as ever."""
    with Milter(daemon.socket) as client:
        client.start()
        client.mail("<after@sender.test>")
        assert client.refused_rcpt("<nobody@local.test>", "5.1.1", UNKNOWN) == "c"
    assert daemon.wait_events(1, sender="after@sender.test")
    assert daemon.is_alive()


GARBAGE = {
    "nothing": b"",
    "smtp": b"EHLO client.test\r\nMAIL FROM:<>\r\n",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "length 0": struct.pack(">I", 0) * 10,
    "huge length": struct.pack(">I", 0xFFFFFFFF) + b"O",
    "big length": struct.pack(">I", 0x7FFFFFFF) + b"O" + bytes(100000),
    "half a length": b"\0\0",
    "half a packet": struct.pack(">I", 13) + b"O\0\0",
    "short negotiation": milter.packet(b"O", b"\0\0"),
    "version 0": milter.packet(b"O", struct.pack(">III", 0, 0, 0)),
    "version 99": milter.packet(b"O", struct.pack(">III", 99, 0xFFFFFFFF, 0xFFFFFFFF)),
    "unknown command": milter.packet(b"\x80", b"x"),
}


@pytest.mark.parametrize("what", GARBAGE)
@pytest.mark.parametrize("negotiated", [False, True], ids=["first", "negotiated"])
def test_garbage(start, what, negotiated):
    daemon = start()
    with Milter(daemon.socket) as client:
        if negotiated:
            client.negotiate()
        try:
            client.socket.sendall(GARBAGE[what])
            client.socket.shutdown(socket.SHUT_WR)
            client.socket.settimeout(0.3)
            while client.socket.recv(65536):
                pass
        except OSError:
            pass
    alive(daemon)


MESSED = [
    [b"E"],
    [b"T", b"E"],
    [b"N", b"B", b"E"],
    [b"L", b"L", b"E"],
    [b"R", b"R", b"M"],
    [b"H", b"H", b"R", b"T", b"E"],
    [b"A", b"A", b"Q"],
    [b"C", b"C", b"H", b"M", b"M", b"R", b"E", b"E"],
    [b"M", b"R", b"T", b"T", b"M", b"E"],
    [b"K", b"K", b"M", b"R"],
    [b"U", b"U", b"D"],
]


@pytest.mark.parametrize("commands", MESSED, ids=lambda commands: b"".join(commands).decode())
@pytest.mark.parametrize(
    "data", [b"", b"\0", b"x", b"x\0", b"x\0y\0", b"\0\0\0\0\0\0\0\0"], ids=repr
)
def test_commands_out_of_order_and_malformed(start, commands, data):
    daemon = start(check('header = "Subject: *bad*"; recipient = "second@local.test";'))
    with Milter(daemon.socket) as client:
        client.negotiate()
        try:
            for command in commands:
                client.send(command, data)
            client.socket.shutdown(socket.SHUT_WR)
            client.socket.settimeout(0.3)
            while client.socket.recv(65536):
                pass
        except OSError:
            pass
    alive(daemon)


def test_random_octets(start):
    """The same ones each time. Half of them after a proper beginning."""
    daemon = start(check('header = "Subject: *bad*"; recipient = "second@local.test";'))
    chance = random.Random(20)
    for turn in range(60):
        with Milter(daemon.socket) as client:
            try:
                if turn % 2:
                    client.start()
                    client.mail()
                for _ in range(20):
                    data = chance.randbytes(chance.choice([0, 1, 5, 40, 2000]))
                    client.send(bytes([chance.choice(b"ABCDEHKLMNOQRTU" + bytes([turn]))]), data)
            except OSError:
                pass
    alive(daemon)


def test_half_open_connections_stop_nobody(start):
    daemon = start()
    silent = [Milter(daemon.socket) for _ in range(100)]
    # Half a packet holds a thread of libmilter's until the rest comes. It counts its idle threads late, hence the pause.
    for client in silent[::10]:
        client.socket.sendall(b"\0\0")
        time.sleep(0.05)
    alive(daemon)
    for client in silent:
        client.close()
    alive(daemon)


def test_huge_values(session):
    """As large as libmilter takes them: answered in bounded lines, logged in bounded lines."""
    daemon, client = session(
        check(
            'recipient = "*second*";',
            'code = 550; status = "5.7.1"; text = [ "H %{helo}", "S %{sender}", "R %{recipient}" ]',
        )
    )
    long = 60000 * "a"
    client.helo(long)
    client.mail(f"<{long}@sender.test>")
    answer = client.rcpt(f"<second{long}@local.test>", i=long)
    assert answer == "y" and len(answer.lines) <= 6
    assert all(len(line) <= 510 for line in answer.lines)
    client.refused_rcpt(f"<{long}@local.test>", "5.1.1", long)
    daemon.wait_events(2)
    assert all(len(line) <= 32768 for line in daemon.raw_events().splitlines())
    alive(daemon)


def test_many_recipients(session):
    """Headers and recipients in one check: all accepted recipients count, however many."""
    daemon, client = session(
        check('header = "Subject: *bad*"; recipient = [ "*@local.test", "!*@else.test" ];')
    )
    for others, refused in (([], True), (["<x@else.test>"], False)):
        client.mail()
        for number in range(3000):
            assert client.rcpt(f"<user{number}@local.test>") == "c"
        for other in others:
            assert client.rcpt(other) == "c"
        assert (client.message([("Subject", "bad")]) == "y") == refused


def test_concurrent_sessions_do_not_mix(start):
    daemon = start(
        "site = { reference = true; }; "
        + check(
            'recipient = "*";',
            'code = 550; status = "5.7.1"; text = "%{client_addr} %{helo} %{sender} %{recipient}, reference %{reference}"',
        )
    )
    errors, said = [], set()

    def client(number):
        try:
            for turn in range(20):
                mine = f"192.0.2.{number} helo{number}.test s{number}.{turn}@a.test r{number}.{turn}@b.test, reference "
                with Milter(daemon.socket) as session:
                    session.start(address=f"192.0.2.{number}")
                    session.helo(f"helo{number}.test")
                    session.mail(f"<s{number}.{turn}@a.test>")
                    text = session.rcpt(f"<r{number}.{turn}@b.test>").text.decode()
                    assert text.startswith("550 5.7.1 " + mine), text
                    said.add(text.split()[-1])
                    session.quit()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    events = daemon.wait_events(400)
    assert {event["reference"] for event in events} == said and len(said) == 400
    for event in events:
        number = event["client"]["addr"].rpartition(".")[2]
        assert event["client"]["helo"] == f"helo{number}.test"
        assert event["sender"].startswith(f"s{number}.") and event["recipient"].startswith(
            f"r{number}."
        )


def test_descriptors_are_given_back(start):
    daemon = start()
    folder = f"/proc/{daemon.process.pid}/fd"
    alive(daemon)
    before = len(os.listdir(folder))
    for _ in range(100):
        with Milter(daemon.socket) as client:
            client.start()
            client.mail()
    for _ in range(100):
        if len(os.listdir(folder)) <= before + 3:
            return
        alive(daemon)
    pytest.fail(f"{len(os.listdir(folder))} descriptors, {before} before")
