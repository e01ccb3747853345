"""The tables server by its socket: the protocol, bad clients, many clients, and each table's encoding."""

import socket
import threading

import pytest
from harness.smtp import check_wire
from harness.smtpd312 import Smtpd312
from harness.socketmap import Client, netstring

pytestmark = pytest.mark.threaded

UNKNOWN = "550 5.1.1 <nouser@local.test>: Recipient address rejected: User unknown in local recipient table"
SITE = 'site = { help_url = "https://help.test/%{status}"; reference = true; };\n'
PLAIN = SITE.replace("true", "false")
REPLACE = (
    'replies = { rules = ( { name = "new"; when = { category = "user-unknown"; }; then = { mode = "replace"; code = 550; '
    'status = "5.1.1"; text = [ "No mailbox here for $5, 100%.", "See %{help_url}" ]; }; } ); };'
)
TABLES = ("reject", "footer", "delivery", "rbl")


@pytest.fixture
def start(shared_daemon):
    return lambda policy="": shared_daemon(policy, milter=False)


def keys(table, text=UNKNOWN):
    """The same refusal as this table's key."""
    return {
        "reject": text,
        "footer": text,
        "delivery": "5.1.1 host mx.test[192.0.2.1] said: "
        + text
        + " (in reply to RCPT TO command)",
        "rbl": "rbl.test=127.0.0.[2..11]",
    }[table]


def test_a_connection_serves_many_queries(start):
    daemon = start(SITE)
    with Client(daemon.tables) as client:
        for _ in range(200):
            assert client.ask("footer", UNKNOWN)[0] == "OK"
            assert client.ask("reject", "250 2.0.0 Ok") == ("NOTFOUND", b"")
            status, text = client.ask("nonsense", UNKNOWN)
            assert status == "PERM" and b'unknown map "nonsense"' in text


def test_queries_in_one_write_and_octet_by_octet(start):
    daemon = start(SITE)
    query = netstring(b"footer " + UNKNOWN.encode())
    with Client(daemon.tables) as client:
        client.socket.sendall(query * 50)
        for _ in range(50):
            length = int(b"".join(iter(lambda: client.stream.read(1), b":")))
            assert client.stream.read(length + 1).startswith(b"OK ")
        for octet in query:
            client.socket.sendall(bytes([octet]))
        assert client.ask("footer", UNKNOWN)[0] == "OK"


RUBBISH = {
    "no length": b"hello,",
    "letters": b"12x:footer,",
    "negative": b"-5:footer,",
    "no comma": b"6:footerX" + netstring(b"footer x"),
    "huge length": b"99999999999999999999:x,",
    "big length": b"2000000000:x,",
    "leading zeros": b"0000000000000000000006:footer,",
    "smtp": b"EHLO client.test\r\nMAIL FROM:<>\r\n",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "octets": bytes(range(256)) * 20,
    "a milter": b"\x00\x00\x00\rO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff",
}


@pytest.mark.parametrize("what", RUBBISH)
def test_rubbish_ends_its_own_connection_only(start, what):
    daemon = start(SITE)
    with Client(daemon.tables) as good:
        assert good.ask("footer", UNKNOWN)[0] == "OK"
        with Client(daemon.tables) as bad:
            bad.socket.sendall(RUBBISH[what])
            bad.socket.shutdown(socket.SHUT_WR)
            try:
                assert b"OK " not in bad.stream.read(1 << 20)
            except ConnectionResetError:
                pass
        assert good.ask("footer", UNKNOWN)[0] == "OK"
    with Client(daemon.tables) as another:
        assert another.ask("footer", UNKNOWN)[0] == "OK"


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b" ",
        b"550",
        b"550 ",
        b"550-",
        b"999 9.9.9 x",
        b"250 2.0.0 Ok",
        b"354 go on",
        b"5.1.1",
        b"\xff\xfe\x01",
        b"550 5.1.1 " + b"x" * 60000,
        b"550-5.1.1 a\r\n" * 3000,
        b"550 5.1.1 %s%n%{recipient} ${sender} $(id) \\n\\c",
        b"550 5.1.1 \r\n\r\n250 2.0.0 Ok",
        b"550 5.1.1 <" + b"@" * 5000 + b">: no",
        b"rbl.test=127.0.0.[2..11]",
        b"5.1.1 " + b"said: " * 4000,
    ],
    ids=lambda key: repr(key[:24]),
)
@pytest.mark.parametrize("table", TABLES)
def test_odd_keys_get_an_answer(start, table, key):
    daemon = start(SITE + REPLACE)
    with Client(daemon.tables) as client:
        status, text = client.ask(table, key)
        assert status in ("OK", "NOTFOUND")
        assert all(32 <= octet < 127 or (table == "reject" and octet in b"\r\n") for octet in text)
        if status == "OK" and table == "reject":
            check_wire(text + b"\r\n")
        assert client.ask(table, key)[0] == status


def test_what_cannot_be_a_reply_is_an_error(start):
    """Postfix then says so in its log, and leaves the reply as it was."""
    daemon = start(SITE)
    with Client(daemon.tables) as client:
        assert client.ask("footer", b"550 5.1.1 a\0b")[0] == "PERM"
        assert client.ask("footer", UNKNOWN)[0] == "OK"
    with Client(daemon.tables) as client, pytest.raises(ConnectionError):
        client.ask("footer", b"550 5.1.1 " + b"x" * 1000000)
    with Client(daemon.tables) as client:
        assert client.ask("footer", UNKNOWN)[0] == "OK"


def test_hundreds_of_connections(start):
    daemon = start(SITE)
    clients = [Client(daemon.tables) for _ in range(300)]
    errors = []

    def use(some):
        try:
            for client in some * 3:
                assert client.ask("footer", UNKNOWN)[0] == "OK"
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=use, args=(clients[part::6],)) for part in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    assert errors == []


def test_a_client_that_does_not_read_stops_nobody(start):
    daemon = start(SITE)
    stuck = Client(daemon.tables)
    stuck.socket.setblocking(False)
    query = netstring(b"footer " + UNKNOWN.encode())
    try:
        for _ in range(200000):
            stuck.socket.send(query)
    except BlockingIOError:
        pass
    with Client(daemon.tables) as client:
        for _ in range(20):
            assert client.ask("footer", UNKNOWN)[0] == "OK"
    stuck.close()


def test_encodings(start):
    daemon = start(PLAIN + REPLACE)
    with Client(daemon.tables) as client:
        got = {table: client.ask(table, keys(table)) for table in ("reject", "footer", "delivery")}
    assert {status for status, _ in got.values()} == {"OK"}
    assert (
        got["reject"][1]
        == b"550-5.1.1 No mailbox here for $5, 100%.\r\n550 5.1.1 See https://help.test/5.1.1"
    )
    assert got["footer"][1] == rb"No mailbox here for $$5, 100%.\nSee https://help.test/5.1.1"
    assert got["delivery"][1].startswith(
        b"5.1.1 host mx.test[192.0.2.1] said: 550 5.1.1 <nouser@local.test>: "
    )
    assert got["delivery"][1].endswith(
        b" - No mailbox here for $5, 100%. See https://help.test/5.1.1"
    )
    assert b"\n" not in got["delivery"][1]


REPLIES = [
    UNKNOWN,
    "554 5.7.1 <x@else.test>: Relay access denied",
    "550-5.7.1 first\r\n550 5.7.1 second",
    "550 4.7.1 a pair that disagrees",
    "550 no status at all",
    "451 4.3.0 <x@local.test>: Temporary lookup failure",
    "452 4.2.2 mailbox full",
    "552 5.3.4 Error: message file too big",
    "550 5.7.1 " + 900 * "x",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.test",
]


@pytest.mark.parametrize(
    "policy",
    [SITE, SITE + REPLACE, SITE + 'replies = { default = "repair"; };'],
    ids=["annotate", "replace", "repair"],
)
@pytest.mark.parametrize("reply", REPLIES)
def test_played_smtpd_gets_one_right_reply(start, policy, reply):
    """Both tables in a row, as smtpd 3.12 asks them: right on the wire, and a second time through changes nothing."""
    daemon = start(policy)
    smtpd = Smtpd312(daemon.tables)
    once = smtpd.send(reply)
    assert smtpd.warnings == []
    check_wire(once.encode() + b"\r\n")
    assert once[0] == reply[0]
    assert smtpd.send(once) == once
    assert once.count("https://help.test/") <= 1


@pytest.mark.parametrize("reply", ["535 5.7.8 Error: authentication failed", "421 4.4.2 mx.test Error: timeout exceeded",
                                   "503 5.5.1 Error: need RCPT command", "501 5.5.4 Syntax: MAIL FROM:<address>",
                                   "500 5.5.2 Error: command not recognized", "554 mx.test ESMTP not accepting connections"])  # fmt: skip
def test_replies_that_are_not_about_mail_pass(start, reply):
    daemon = start(SITE)
    assert Smtpd312(daemon.tables).send(reply) == reply


# condition, and whether the refusal of UNKNOWN fulfils it at a table
CONDITIONS = [
    ('category = "user-unknown";', True),
    ('category = "!user-unknown";', False),
    ('code = "550";', True),
    ('code = "5*";', True),
    ('status = "5.1.1";', True),
    ('status = [ "5.1.2", "5.1.*" ];', True),
    (r'text = "/user UNKNOWN/i";', True),
    ('text = "*User unknown*";', True),
    (r'text = [ "/unknown/i", "!/local/" ];', False),
    ('code = "450";', False),
    ('client = "!192.0.2.1";', False),
    ('sender = "*";', False),
    ('helo = "!*";', False),
    ('filter = "!rspamd";', False),
]


@pytest.mark.parametrize("when, fulfilled", CONDITIONS, ids=[row[0] for row in CONDITIONS])
@pytest.mark.parametrize("table", ["reject", "footer", "delivery"])
def test_conditions_at_each_table(start, table, when, fulfilled):
    """What a table cannot know never matches, negated or not."""
    policy = (
        f'replies = {{ default = "keep"; rules = ( {{ name = "r"; when = {{ {when} }}; then = {{ mode = "replace"; code = 550; '
        'status = "5.1.1"; text = "Matched."; change_class = true; }; } ); };'
    )
    daemon = start(policy)
    with Client(daemon.tables) as client:
        status, text = client.ask(table, keys(table))
    assert (status == "OK" and b"Matched." in text) == fulfilled, (status, text)


@pytest.mark.parametrize("table", ["reject", "footer"])
def test_recipient_is_known_where_postfix_wrote_it(start, table):
    policy = (
        'replies = { default = "keep"; rules = ( { name = "r"; when = { recipient = "nouser@*"; stage = "rcpt"; }; '
        'then = { mode = "replace"; code = 550; status = "5.1.1"; text = "No %{recipient} here."; }; } ); };'
    )
    daemon = start(policy)
    with Client(daemon.tables) as client:
        assert b"No nouser@local.test here." in client.ask(table, UNKNOWN)[1]
        assert client.ask(table, "550 5.1.1 User unknown")[0] == "NOTFOUND"


def test_a_line_with_an_unknown_variable_is_left_out(start):
    policy = (
        'site = { reference = false; }; replies = { rules = ( { name = "r"; when = { status = "5.1.1"; }; then = { mode = "replace"; code = 550; status = "5.1.1"; '
        'text = [ "One.", "Queue %{queue_id}.", "Two." ]; }; } ); };'
    )
    daemon = start(policy)
    with Client(daemon.tables) as client:
        assert client.ask("reject", UNKNOWN)[1] == b"550-5.1.1 One.\r\n550 5.1.1 Two."


def test_class_needs_a_word(start):
    rule = (
        'replies = { default = "keep"; rules = ( { name = "r"; when = { status = "5.1.1"; }; then = { mode = "replace"; code = 450; '
        'status = "4.1.1"; text = "Later."; %s }; } ); };'
    )
    for extra, code in (("change_class = true;", b"450"), ("", b"550")):
        daemon = start(rule % extra)
        with Client(daemon.tables) as client:
            status, text = client.ask("reject", UNKNOWN)
        assert (text if status == "OK" else UNKNOWN.encode()).startswith(code)


def test_over_tcp(make_daemon):
    from harness.net import free_port

    port = free_port()
    daemon = make_daemon(SITE + f'tables = {{ socket = "inet:{port}@127.0.0.1"; }};', milter=False)
    daemon.start()
    with Client(("127.0.0.1", port)) as client:
        assert client.ask("footer", UNKNOWN)[0] == "OK"
