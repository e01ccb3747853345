"""Messages, envelopes and sessions with filters behind replymilter and the same filters attached to the same Postfix: what is
delivered is the same to the octet, whatever the mail and whatever the filters do to it."""

import contextlib
import os
import re

import pytest
from harness import smtp
from harness.filter import (
    CONTINUE,
    DISCARD,
    REJECT,
    SKIP,
    TEMPFAIL,
    ACCEPT,
    add_header,
    add_recipient,
    change_header,
    change_sender,
    delete_recipient,
    insert_header,
    nth,
    quarantine,
    replace_body,
    reply,
)
from harness.milter import (
    ALL_ACTIONS,
    HDR_LEADSPC,
    NOBODY,
    NODATA,
    NOEOH,
    NOHDRS,
    SETSYMLIST,
)
from harness.net import slow, wait_for
from harness.pair import KEEP, Told, assert_same, mail, mails, talk

HELLO = "EHLO client.test"


@pytest.fixture
def pair(shared_pair):
    """Two filters; replies are kept as they are."""
    return shared_pair(KEEP)


# ---- messages

BASE = b"From: s@sender.test\r\nSubject: base\r\nX-Dup: 1\r\nX-Dup: 2\r\nX-Dup: 3\r\n"
CORPUS = {
    "plain": BASE + b"\r\nHello.\r\n",
    "empty": b"",
    "no headers": b"\r\nHello.\r\n",
    "no body": BASE,
    "empty body": BASE + b"\r\n",
    "no header at all": b"this is no header\r\nSubject: too late\r\n\r\nHello.\r\n",
    "a From line": b"From s@sender.test Thu Jan  1 00:00:00 1970\r\n" + BASE + b"\r\nHello.\r\n",
    "headers end early": BASE + b"this is no header\r\nX-Late: y\r\n\r\nHello.\r\n",
    "spaces": b"Subject:none\r\nX-One: one\r\nX-Two:  two\r\nX-Tab:\ttab\r\nX-Empty:\r\nX-Space: \r\nX-Fold:\r\n folded\r\n"
    b"X-More: a\r\n\t\tb\r\n   c\r\n\r\nHello.\r\n",
    "space before colon": b"Subject : spaced\r\nX-Tab\t: t\r\n\r\nHello.\r\n",
    "blank fold": b"Subject: a\r\n \r\n b\r\nX-End: a\r\n\t\r\n\r\nHello.\r\n",
    "odd names": b"x-lower: 1\r\nX.Y/Z=: 2\r\n1: 3\r\n: none\r\n\r\nHello.\r\n",
    "8-bit": b"Subject: h\xc3\xa9llo \xff\xfe\r\nX-\xe9: n\r\n\r\nh\xc3\xa9llo \xff\x80\r\n",
    "NUL in the body": BASE + b"\r\na\0b\0\r\n\0\r\n",
    "control": b"Subject: a\x01\x1b[31m\x7f\r\n\r\n\x01\x02\x0c\x7f\r\n",
    "bare CR": b"Subject: a\rb\r\rc\r\n\r\na\rb\r\r\n\rc\r\n",
    "bare LF": b"Subject: a\nX-B: b\r\n\r\na\nb\r\n\n\r\n",
    "long header": b"Subject: " + b"x" * 5000 + b"\r\nX-Fold:" + b"\r\n " .join([b"y" * 900] * 60) + b"\r\n\r\nHello.\r\n",
    "many headers": b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(500)) + b"\r\nHello.\r\n",
    "long lines": BASE + b"\r\n" + b"z" * 10000 + b"\r\n" + b"w" * 998 + b"\r\n" + b"v" * 2049 + b"\r\n",
    "dots": BASE + b"\r\n.\r\n..\r\n.a\r\n...\r\n",
    "blank lines": BASE + b"\r\n\r\n\r\n\r\n",
    "65535": BASE + b"\r\n" + b"a" * 1021 + b"\r\n" + (b"b" * 1022 + b"\r\n") * 63,
    "megabytes": BASE + b"\r\n" + (b"0123456789" * 7 + b"\r\n") * 45000,
    "parts": BASE + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: within\r\n\r\ntext\r\n--b\r\n\r\nX-Not: a header\r\n--b--\r\n",
    "own Received": b"Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000\r\n" * 3 + BASE + b"\r\nHello.\r\n",
}  # fmt: skip

EDITS = {
    "nothing": ([], []),
    "headers added": (
        [add_header("X-One", "first"), add_header("X-Fold", "a\n\tb\n c"), insert_header(0, "X-Top", "top"),
         insert_header(1, "X-Second", "second"), insert_header(3, "X-Third", "8-bit \xe9"), insert_header(1000, "X-Far", "far")],
        [add_header("X-One", "second"), insert_header(0, "X-Top", "over it"), insert_header(2, "X-Mid", " two spaces"),
         add_header("X-Empty", ""), add_header("X-Long", "x" * 3000)],
    ),
    "headers changed": (
        [change_header(1, "Subject", "changed"), change_header(2, "X-Dup", ""), change_header(0, "x-dup", "zero"),
         change_header(1, "X-New", "was not there"), change_header(9, "X-Dup", "ninth"), change_header(3, "X-None", "")],
        [change_header(1, "Subject", "a\n\tfolded"), change_header(2, "X-Dup", "second again"), change_header(1, "X-New", ""),
         add_header("X-Dup", "added"), change_header(4, "X-Dup", "fourth"), change_header(1, "From", "")],
    ),
    "the same header again": (
        [add_header("X-A", "1"), change_header(1, "X-A", "2"), insert_header(0, "X-A", "0"), change_header(1, "X-A", "")],
        [change_header(1, "X-A", "3"), change_header(1, "X-A", ""), change_header(1, "X-A", "4"), insert_header(1, "Subject", "twice")],
    ),
    "body replaced": (
        [replace_body("one "), replace_body("line\r\nhalf"), replace_body(" a line\r\n")],
        [replace_body("The second's\r\n.\r\n\r\nbody, no line end")],
    ),
    "body replaced by the first": ([add_header("X-A", "1"), replace_body("first\r\n" * 20000)], [add_header("X-B", "2")]),
    "body emptied": ([replace_body("")], []),
}  # fmt: skip


def corpus_dialog(messages):
    """All of them on one connection, each to a recipient of its own, so that each is found again."""
    steps = [HELLO]
    for number, content in enumerate(messages):
        steps += mail(f"m{number:02}@local.test", content=content, options=" BODY=8BITMIME")
    return [*steps, "QUIT"]


def big(content):
    return len(content) > 1000000


@pytest.mark.parametrize("name", EDITS)
def test_messages_arrive_as_they_would(pair, name):
    """Byte for byte what Postfix delivers with the same filters attached, whatever the message and what filters do to it."""
    messages = [
        content
        for content in CORPUS.values()
        if name in ("nothing", "body emptied") or not big(content)
    ]
    first, second = ({b"E": b"".join(edits) + CONTINUE} for edits in EDITS[name])
    for steps in ((0, HDR_LEADSPC), (HDR_LEADSPC, 0)):
        seen = pair.both(
            corpus_dialog(messages),
            {"script": first, "steps": steps[0]},
            {"script": second, "steps": steps[1]},
        )
        assert len(seen[0].mails) == len(messages)
        assert_same(seen)


ENVELOPES = {
    "recipients added": ([add_recipient("<new@local.test>"), add_recipient("bare@local.test")], [add_recipient("<more@local.test>")]),
    "with arguments": ([add_recipient("<new@local.test>", "NOTIFY=NEVER"), add_recipient("<orig@local.test>", "ORCPT=rfc822;o@x.test")], []),
    "bad arguments": ([add_recipient("<new@local.test>", "NONSENSE")], []),
    "recipients removed": ([delete_recipient("<b@local.test>")], [delete_recipient("a@local.test")]),
    "removed and added": ([delete_recipient("<a@local.test>"), add_recipient("<a@local.test>")], [delete_recipient("<none@local.test>")]),
    "added, removed by the next": ([add_recipient("<new@local.test>")], [delete_recipient("<new@local.test>")]),
    "all removed": ([delete_recipient("<a@local.test>"), delete_recipient("<b@local.test>")], []),
    "twice the same": ([add_recipient("<a@local.test>")], [add_recipient("<a@local.test>")]),
    "sender changed": ([change_sender("<first@sender.test>")], [change_sender("<second@sender.test>", "RET=HDRS ENVID=abc")]),
    "empty sender": ([change_sender("<>")], []),
    "held by the second": ([add_header("X-Before", "hold")], [quarantine("100% odd")]),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes_are_as_they_would_be(pair, name):
    first, second = ({b"E": b"".join(edits) + CONTINUE} for edits in ENVELOPES[name])
    assert_same(
        pair.both(
            [HELLO, *mail("a@local.test", "b@local.test"), *mail("a@local.test"), "QUIT"],
            first,
            second,
        )
    )


def test_held_by_the_first(pair):
    """The others see a mail that is held, too, where Postfix leaves them out."""
    seen = pair.say(
        pair.wrapped,
        [HELLO, *mail("a@local.test"), "QUIT"],
        {b"E": quarantine("odd") + CONTINUE},
        {b"E": add_header("X-Second", "2") + CONTINUE},
    )
    assert seen.mails == [] and len(seen.held) == 1 and b"\nX-Second: 2\n" in seen.held[0]
    refused = pair.say(
        pair.wrapped,
        [HELLO, *mail("a@local.test"), "QUIT"],
        {b"E": quarantine("odd") + CONTINUE},
        {b"E": reply("550 5.7.1 A virus.")},
    )
    assert refused.held == [] and refused.replies[-2].startswith(b"550 5.7.1")


VERDICTS = {
    "continue": CONTINUE,
    "accept": ACCEPT,
    "discard": DISCARD,
    "reject": reply("550 5.7.1 No."),
    "tempfail": TEMPFAIL,
}


@pytest.mark.parametrize("first", VERDICTS)
def test_changes_and_verdicts(pair, first):
    """Changes that come with a verdict, and the next filter's."""
    for second in VERDICTS:
        changes = (
            add_header("X-A", "1") + replace_body("new\r\n") + add_recipient("<more@local.test>")
        )
        assert_same(
            pair.both(
                [HELLO, *mail("a@local.test"), *mail("b@local.test"), "QUIT"],
                {b"E": changes + VERDICTS[first]},
                {b"E": add_header("X-B", "2") + VERDICTS[second]},
            )
        )


def test_changes_that_were_not_asked_for(pair):
    """Postfix takes a change from any filter; replymilter too takes it from one that asked for nothing, or fails it."""
    wants = {"actions": SETSYMLIST, "script": {b"E": add_header("X-A", "1") + CONTINUE}}
    direct, wrapped = pair.both(
        [HELLO, *mail("a@local.test"), "QUIT"], wants, {"actions": ALL_ACTIONS}
    )
    assert (
        mails(wrapped) == mails(direct)
        or wrapped.last()[:1] == b"4"
        or wrapped.replies[-2][:1] == b"4"
    )


# ---- sessions

GIVEN_UP = {
    "at once": [],
    "after HELO": [HELLO],
    "after MAIL": [HELLO, "MAIL FROM:<s@sender.test>"],
    "after RCPT": [HELLO, "MAIL FROM:<s@sender.test>", "RCPT TO:<a@local.test>"],
    "after a refused RCPT": [HELLO, "MAIL FROM:<s@sender.test>", "RCPT TO:<x@elsewhere.test>"],
    "after a mail": [HELLO, *mail("first@local.test")],
    "twice": [
        HELLO,
        "MAIL FROM:<s@sender.test>",
        "RSET",
        "MAIL FROM:<s@sender.test>",
        "RCPT TO:<a@local.test>",
    ],
}


@pytest.mark.parametrize("name", GIVEN_UP)
@pytest.mark.parametrize(
    "how", ["RSET", "EHLO again.test", "QUIT", None], ids=["RSET", "EHLO", "QUIT", "hang up"]
)
def test_given_up(pair, name, how):
    """The transaction begins anew; the filters hear of the end of one that was begun."""
    steps = list(GIVEN_UP[name])
    if how:
        steps += [how]
    if how not in ("QUIT", None):
        steps += [HELLO, *mail("later@local.test"), "QUIT"]
    seen = pair.both(steps)
    assert_same(seen)
    for ours in seen[1].told:
        order = ours.order
        if re.search(b"M[^E]*$", seen[0].told[0].order.rstrip(b"AQ")) and order:
            assert b"A" in order[order.rindex(b"M") :], order


def test_hung_up_in_the_message(pair):
    """Half a message is none."""
    for port in (pair.direct, pair.wrapped):
        pair.reset()
        session = smtp_session(port)
        session.socket.sendall(b"Subject: half\r\n\r\nHalf a mess")
        session.close()
        for one in pair.filters:
            one.settle()
        assert pair.at_rest() and pair.sink.mails == []


def smtp_session(port):
    session = smtp.Smtp(port)
    for step in (HELLO, *mail("a@local.test")[:-1]):
        session.command(step)
    return session


def test_pipelined(pair):
    """Commands of a transaction in one write, several transactions on one connection."""
    envelope = [
        "MAIL FROM:<s@sender.test>",
        *(f"RCPT TO:<r{n}@local.test>" for n in range(10)),
        "DATA",
    ]
    refusing = {
        b"R": lambda _session, data: reply("550 5.7.1 Odd.") if data[2:3] in b"13579" else CONTINUE
    }
    steps = [
        HELLO,
        envelope,
        CORPUS["plain"],
        ["RSET", *envelope],
        CORPUS["8-bit"],
        envelope,
        CORPUS["no body"],
        "QUIT",
    ]
    assert_same(pair.both(steps, refusing, {}))


def test_many_recipients(pair):
    recipients = [f"r{n}@local.test" for n in range(300)]
    edits = b"".join(delete_recipient(f"<r{n}@local.test>") for n in range(0, 300, 3)) + b"".join(
        add_recipient(f"<n{n}@local.test>") for n in range(100)
    )
    assert_same(
        pair.both(
            [HELLO, *mail(*recipients), "QUIT"], {b"E": edits + CONTINUE}, {b"R": nth(250, REJECT)}
        )
    )


def test_skip(pair):
    """A filter that has seen enough of a body gets no more of it, for this message; the other gets all."""
    steps = [
        HELLO,
        *mail("a@local.test", content=CORPUS["megabytes"]),
        *mail("b@local.test", content=CORPUS["65535"]),
        "QUIT",
    ]
    seen = pair.both(steps, {b"B": SKIP}, {})
    assert_same(seen)
    assert len(seen[1].told[0].sessions[0].body()) < len(seen[1].told[1].sessions[0].body())


def test_over_tcp(make_pair):
    """Filters that listen on TCP, with headers and bodies of all sizes."""
    pair = make_pair(KEEP, inet=True).start()
    seen = pair.both(corpus_dialog(CORPUS.values()), {b"E": add_header("X-A", "1") + CONTINUE}, {})
    assert len(seen[0].mails) == len(CORPUS)
    assert_same(seen)


def test_mail_of_the_mta_itself(make_pair):
    """A bounce is shown to the filters as Postfix shows it, what they change is changed; one that they refuse stays queued."""
    bounces = {"internal_mail_filter_classes": "bounce", "notify_classes": ""}
    pair = make_pair(KEEP, settings=bounces).start()
    pair.sink.refusals = {"gone@local.test": b"550 5.1.1 Gone."}
    change = {b"E": add_header("X-Seen", "yes") + CONTINUE}
    shown = []
    for milters in (
        " ".join(one.postfix_socket for one in pair.filters),
        f"unix:{pair.daemon.socket}",
    ):
        pair.postfix.reload(non_smtpd_milters=milters)
        pair.reset(change, {})
        talk(pair.plain, [HELLO, *mail("gone@local.test", sender="a@local.test"), "QUIT"])
        bounce = pair.sink.wait_mail(recipient="a@local.test")[0]
        assert bounce.sender == "" and "\nX-Seen: yes\n" in bounce.text
        told = [Told(one.settle()) for one in pair.filters]
        assert [view.order.strip(b"AQ") for view in told][0].startswith(b"CHMRTL")
        shown.append(
            [
                [data for letter, data in view.commands if letter in b"CHMR"]
                + [data.partition(b"\0")[0] for letter, data in view.commands if letter == b"L"]
                for view in told
            ]
        )
        pair.reset({b"R": TEMPFAIL}, {})
        talk(pair.plain, [HELLO, *mail("gone@local.test", sender="a@local.test"), "QUIT"])
        wait_for(
            lambda: [got["queue_name"] for got in pair.postfix.queued()] == ["deferred"],
            lambda: f"the mail to stay: {pair.postfix.queued()}",
        )
        assert pair.sink.mails == []
        pair.postfix.run("postsuper", "-d", "ALL")
    assert shown[1] == shown[0]


@pytest.mark.parametrize("steps", [NOEOH, NOEOH | NOBODY, NOHDRS, NOHDRS | NOEOH, NODATA | NOEOH])
def test_no_headers_and_filters_that_skip(pair, steps):
    """What nobody wants is left out, and yet libmilter must find its way through a mail without headers."""
    contents = (b"\r\nHello.\r\n", b"", b"Subject: a\r\n\r\n", b"Hello.\r\n")
    dialog = [
        HELLO,
        *(step for content in contents for step in mail("a@local.test", content=content)),
        "QUIT",
    ]
    assert_same(pair.both(dialog, *[{"script": {}, "steps": steps}] * 2))


def test_more_headers_than_are_held(make_pair):
    """No mail can be made that gets by the filters, not even by those that may fail."""
    pair = make_pair(KEEP, 'timeout = 60.0; on_failure = "accept";').start()
    content = b"A:\r\n" * 100001 + b"\r\nHello.\r\n"
    steps = [HELLO, *mail("a@local.test", content=content), *mail("b@local.test"), "QUIT"]
    seen = pair.say(pair.wrapped, steps, {}, {}, timeout=60)
    assert seen.replies[5].startswith(b"451 4.3.0 "), seen.replies
    assert [got.recipients for got in seen.mails] == [["b@local.test"]]
    failure = pair.daemon.wait_event(event="filter-failure")
    assert failure["on_failure"] == "tempfail" and "header" in failure["reason"]


# ---- memory


def peak_kib(process, reset=False):
    """The most memory that a process has had since the last reset."""
    if reset:
        with open(f"/proc/{process}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1])


def open_files(process):
    """{descriptor: what it names}"""
    folder = f"/proc/{process}/fd"
    found = {}
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            found[name] = os.readlink(f"{folder}/{name}")
    return found


def test_a_long_mail_takes_little_memory(make_pair):
    """It waits in a file that has no name, as does the body that a filter puts in its place; nothing of them is left."""
    megabytes = 30
    content = BASE + b"\r\n" + (b"0123456789" * 7 + b"\r\n") * (megabytes * 1024 * 1024 // 72)
    pair = make_pair(KEEP, "timeout = 60.0;", settings={"message_size_limit": "0"}).start()
    process = pair.daemon.process.pid
    while_asked = []

    def replace(session, _data):
        """By a body of the same octets."""
        while_asked.append(open_files(process))
        for command, piece in session.told:
            if command == b"B":
                session.write(replace_body(piece))
        return CONTINUE

    def look(_session, _data):
        while_asked.append(open_files(process))
        return CONTINUE

    pair.say(pair.wrapped, [HELLO, *mail("a@local.test"), "QUIT"])
    before, at_first = open_files(process), peak_kib(process, reset=True)
    seen = pair.say(
        pair.wrapped,
        [HELLO, *mail("a@local.test", content=content), "QUIT"],
        {b"E": replace},
        {b"E": look},
        timeout=60,
    )
    (arrived,) = seen.mails
    assert arrived.content.endswith(content.replace(b"\r\n", b"\n"))
    grown = peak_kib(process) - at_first
    assert grown < 12 * 1024 or slow(1) > 1, f"{grown} KiB"  # sanitizers keep what is freed
    one, two = (
        [name for name in files.values() if name.endswith("(deleted)")] for files in while_asked
    )
    assert len(one) == 1 and len(two) == 1, (one, two)
    wait_for(lambda: open_files(process).keys() == before.keys(), lambda: open_files(process))
