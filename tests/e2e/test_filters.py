"""Filters behind replymilter, beside the same filters attached to the same Postfix: clients, recipients and filters must not
notice, or be better off where a table here says so."""

import re

import pytest
from harness.filter import (
    ACCEPT,
    CONN_FAIL,
    CONTINUE,
    DISCARD,
    PROGRESS,
    REJECT,
    SHUTDOWN,
    SKIP,
    TEMPFAIL,
    add_header,
    nth,
    reply,
)
from harness.milter import (
    HDR_LEADSPC,
    NOBODY,
    NOCONNECT,
    NODATA,
    NOEOH,
    NOHDRS,
    NOHELO,
    NOMAIL,
    NORCPT,
    NOTHING,
    NOUNKNOWN,
    NR_BODY,
    NR_RCPT,
    RCPT_REJ,
    SILENT,
)
from harness.pair import KEEP, assert_same, mail, mails, told

HELLO = "EHLO client.test"


@pytest.fixture
def pair(shared_pair):
    """Two filters; replies are kept as they are."""
    return shared_pair(KEEP)


# ---- each answer at each stage

STAGES = {
    b"C": "connect",
    b"H": "helo",
    b"M": "mail",
    b"R": "rcpt",
    b"T": "data",
    b"L": "header",
    b"N": "end of headers",
    b"B": "body",
    b"E": "end of message",
    b"U": "unknown command",
}
ANSWERS = {
    "continue": CONTINUE,
    "accept": ACCEPT,
    "discard": DISCARD,
    "reject": REJECT,
    "tempfail": TEMPFAIL,
    "skip": SKIP,
    "progress": PROGRESS + PROGRESS + CONTINUE,
    "progress and tempfail": PROGRESS + TEMPFAIL,
    "550": reply("550 5.7.1 Not here."),
    "550 bare": reply("550 Not here, and no enhanced code."),
    "450": reply("450 4.7.1 Not now."),
    "554": reply("554 5.7.1 Never."),
    "several lines": reply("550-5.7.1 One.\r\n550-5.7.1 Two.\r\n550 5.7.1 Three."),
    "percent": reply("550 5.7.1 100%% sure."),
    "421": reply("421 4.7.0 Goodbye."),
    "521": reply("521 5.3.2 Goodbye for good."),
}
DIALOG = [
    HELLO,
    *mail("first@local.test", "x@elsewhere.test", "second@local.test"),
    "FOO bar",
    *mail("third@local.test"),
    "QUIT",
]


OF_THE_SECOND = {
    "accept",
    "discard",
    "reject",
    "550",
    "421",
}  # it is the first that the others are behind
REFUSALS = {"reject", "tempfail", "progress and tempfail", "percent", "several lines"} | {
    name for name in ANSWERS if name[0] in "45"
}


@pytest.mark.parametrize("stage", STAGES, ids=STAGES.values())
@pytest.mark.parametrize("which", [0, 1], ids=["first filter", "second filter"])
def test_each_answer_at_each_stage(pair, stage, which):
    for name, answer in ANSWERS.items():
        if which == 1 and name not in OF_THE_SECOND:
            continue
        if stage == b"U" and name in ("accept", "discard"):
            continue  # Postfix panics when the next mail comes
        wants = [{}, {}]
        wants[which] = {stage: answer}
        seen = pair.both(DIALOG, *wants)
        try:
            if stage in b"CH" and name in REFUSALS:
                # who has refused the connection hears no more of it, and so do the filters before
                assert_same(seen, all_told=False)
                for ours, theirs in zip(seen[1].told, seen[0].told):
                    assert told(theirs)[: len(told(ours))] == told(ours)
            else:
                assert_same(seen)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.mark.parametrize("answer", [ACCEPT, DISCARD], ids=["accept", "discard"])
@pytest.mark.parametrize("which", [0, 1], ids=["first filter", "second filter"])
def test_no_more_outside_of_a_mail(pair, which, answer):
    """It means nothing, where a Postfix that the filter is attached to ends its process."""
    wants = [{}, {}]
    wants[which] = {b"U": answer}
    seen = pair.say(pair.wrapped, DIALOG, *wants)
    assert len(seen.mails) == 2 and None not in seen.replies


@pytest.mark.parametrize("answer", [ACCEPT, DISCARD], ids=["accept", "discard"])
@pytest.mark.parametrize("which", [0, 1], ids=["first filter", "second filter"])
def test_no_more_of_this_mail_at_an_unknown_command(pair, which, answer):
    """The next mail is seen by both again. (Postfix 3.11 tells the other filter of one that is discarded, too.)"""
    first = mail("first@local.test")
    wants = [{}, {}]
    wants[which] = {b"U": answer}
    dialog = [HELLO, *first[:2], "FOO bar", *first[2:], *mail("next@local.test"), "QUIT"]
    assert_same(pair.both(dialog, *wants), all_told=answer is ACCEPT)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_to_the_second_of_several(pair, name):
    """The second recipient, header or mail; the first filter lets all pass."""
    for stage in (b"M", b"R", b"L"):
        assert_same(pair.both(DIALOG, {}, {stage: nth(2, ANSWERS[name])}))


SHUT = {  # a shutdown by a filter: Postfix says 250 to some messages then, and drops them
    b"C": rb"421 ",
    b"H": rb"421 4\.",
    b"M": rb"421 4\.",
    b"R": rb"421 4\.",
    b"T": rb"421 4\.",
    b"L": rb"421 4\.",
    b"N": rb"421 4\.",
    b"B": rb"421 4\.",
    b"E": rb"421 4\.",
}


@pytest.mark.parametrize("stage", SHUT, ids=[STAGES[stage] for stage in SHUT])
def test_shutdown(pair, stage):
    """The client is told to come again, and the connection ends; no mail is said to be taken and lost."""
    seen = pair.say(pair.wrapped, DIALOG, {stage: SHUTDOWN})
    assert seen.replies[-1] is None and re.match(SHUT[stage], seen.replies[-2]), seen.replies
    assert seen.mails == []


@pytest.mark.parametrize("stage", STAGES, ids=STAGES.values())
def test_connection_failed(pair, stage):
    """A filter that wants the connection to fail: 4xx, and what was not taken before is not taken."""
    direct, wrapped = pair.both(DIALOG, {}, {stage: CONN_FAIL})
    assert any(line and line.startswith(b"4") for line in wrapped.replies), wrapped.replies
    assert mails(wrapped) == mails(direct)


# ---- replies that are not as they should be: what Postfix 3.7 makes of them, what replymilter does

UNHAPPY = rb"451 4\.3\.5 Server configuration problem - try again later\r\n"
MALFORMED = {
    "4 in 550": ("550 4.7.1 Bad.", UNHAPPY, rb"550 5\.7\.1 Bad\.\r\n"),
    "5 in 451": ("451 5.7.1 Bad.", UNHAPPY, rb"451 4\.7\.1 Bad\.\r\n"),
    "no text": ("550 5.7.1", None, rb"550 5\.7\.1 \w.*\r\n"),
    "code alone": ("550", UNHAPPY, rb"550 5\.\d+\.\d+ \w.*\r\n"),
    "percent": ("550 5.7.1 100% of %s, 5%n.", rb"550 5\.7\.1 100 of s, 5n\.\r\n", rb"550 5\.7\.1 100% of %s, 5%n\.\r\n"),
    "bare LF": ("550 5.7.1 One.\n250 Two.", None, rb"55[04]-5\.7\.1 One\.\r\n55[04] 5\.7\.1 Two\.\r\n"),
    "bare CR": ("550 5.7.1 One.\rTwo.", None, rb"55[04]-5\.7\.1 One\.\r\n55[04] 5\.7\.1 Two\.\r\n"),
    "another code": ("550-5.7.1 One.\r\n551 5.7.1 Two.", None, rb"55\d-5\.7\.1 One\.\r\n55\d 5\.7\.1 Two\.\r\n"),
    "no dash": ("550 5.7.1 One.\r\n550 5.7.1 Two.", None, rb"550-5\.7\.1 One\.\r\n550 5\.7\.1 Two\.\r\n"),
    "dash at the end": ("550-5.7.1 One.\r\n550-5.7.1 Two.", None, rb"550-5\.7\.1 One\.\r\n550 5\.7\.1 Two\.\r\n"),
    "line end at the end": ("550 5.7.1 One.\r\n", None, rb"550 5\.7\.1 One\.\r\n"),
    "line without code": ("550-5.7.1 One.\r\nTwo.", None, rb"550-5\.7\.1 One\.\r\n550 5\.7\.1 Two\.\r\n"),
    "control": ("550 5.7.1 a\x01b\x1b[31m", None, rb"550 5\.7\.1 a.*b.*\r\n"),
    "8-bit": (b"550 5.7.1 h\xc3\xa9llo \xff", None, rb"550 5\.7\.1 h.*llo.*\r\n"),
    "endless": ("550 5.7.1 " + "long " * 1000, None, rb"550[- ]5\.7\.1 long .*\r\n"),
    "40 lines": ("\r\n".join(f"550{'-' if n < 40 else ' '}5.7.1 Line {n}." for n in range(1, 41)), None, rb"550[- ]5\.7\.1 Line 1\. "),
}  # fmt: skip


@pytest.mark.parametrize("code", [421, 521])
def test_a_hangup_stays_one(shared_pair, code):
    """Repaired or not, Postfix hangs up as it does on the filter's own word; the text gets what is missing."""
    pair = shared_pair(KEEP.replace("keep", "repair"))
    for stage in (b"M", b"R", b"T", b"E"):
        for text in (f"{code} {code // 100}.7.1 Goodbye.", f"{code} Goodbye."):
            direct, wrapped = pair.both(DIALOG, {}, {stage: reply(text)})
            assert direct.replies[-1] is None and wrapped.replies[-1] is None, (stage, text)
            assert direct.replies[:-2] == wrapped.replies[:-2]
            assert re.fullmatch(rb"%d \d\.\d\.\d Goodbye\.\r\n" % code, wrapped.replies[-2])
            assert mails(wrapped) == mails(direct)


@pytest.mark.parametrize("stage", [b"M", b"R", b"T", b"E"], ids=lambda stage: STAGES[stage])
def test_malformed_replies(shared_pair, stage):
    """A refusal that Postfix makes temporary, or sends as it is though it desynchronises the client, is repaired."""
    pair = shared_pair(KEEP.replace("keep", "repair"))
    steps = [HELLO, *mail("first@local.test")]
    for name, (text, direct, wanted) in MALFORMED.items():
        if direct:
            seen = pair.say(pair.direct, steps, {}, {stage: reply(text)})
            assert any(re.fullmatch(direct, line) for line in seen.replies), (name, seen.replies)
        seen = pair.say(pair.wrapped, [*steps, "QUIT"], {}, {stage: reply(text)}, strict=True)
        assert any(re.match(wanted, line) for line in seen.replies), (name, seen.replies)
        assert seen.mails == [], name
        assert pair.daemon.wait_event(filter="filter2")["repairs"], name
        pair.daemon.forget_events()


@pytest.mark.parametrize(
    "text", ["250 2.0.0 Fine.", "354 Go on.", "650 What?", "gibberish", "", "55", "5a0 5.7.1 x"]
)
def test_replies_that_are_none(pair, text):
    """Whatever that is to mean, it approves of nothing, and the client comes again."""
    for stage in (b"R", b"E"):
        seen = pair.say(
            pair.wrapped,
            [HELLO, *mail("first@local.test"), "QUIT"],
            {},
            {stage: reply(text)},
            strict=True,
        )
        assert any(line.startswith(b"4") for line in seen.replies), seen.replies
        assert seen.mails == []


# ---- what is refused goes through the policy

DMARC = "550 5.7.1 rejected by DMARC policy for sender.test"
WORDED = """
site = { reference = true; help_url = "https://help.test/"; };
replies = { rules = (
  { name = "second"; when = { filter = "filter2"; }; then = { mode = "annotate"; text = "The second filter said so."; }; },
  { name = "code"; when = { filter = "filter1"; code = 557; }; then = { mode = "replace"; code = 550; status = "5.7.1"; text = "By the first."; }; }
); };
"""


def test_a_refusal_is_explained(shared_pair):
    pair = shared_pair(WORDED)
    steps = [HELLO, *mail("first@local.test"), "QUIT"]
    seen = pair.say(pair.wrapped, steps, {b"E": reply(DMARC)}, strict=True)
    said = seen.replies[-2]
    assert said.startswith(b"550-5.7.26 rejected by DMARC policy for sender.test\r\n"), said
    event = pair.daemon.wait_event(filter="filter1")
    assert event["reference"].encode() in said
    assert event["door"] == "filter" and event["stage"] == "eom"

    said = pair.say(pair.wrapped, steps, {}, {b"R": reply("550 5.7.1 No.")}, strict=True).replies[3]
    assert b"The second filter said so." in said

    said = pair.say(pair.wrapped, steps, {b"M": reply("557 5.7.1 No.")}, strict=True).replies[2]
    assert said.startswith(b"550") and b"By the first." in said


def test_a_bare_reject_is_worded(shared_pair):
    """Nobody can do anything with `Command rejected`."""
    pair = shared_pair(WORDED)
    for stage in (b"M", b"R", b"T", b"E"):
        seen = pair.say(
            pair.wrapped, [HELLO, *mail("first@local.test"), "QUIT"], {stage: REJECT}, strict=True
        )
        said = next(line for line in seen.replies if line.startswith(b"5"))
        assert b"Command rejected" not in said and re.match(rb"550[- ]5\.7\.\d+ \w", said)


# ---- what filters are told

STEPS = [
    0,
    NOTHING,
    SILENT,
    HDR_LEADSPC,
    RCPT_REJ,
    RCPT_REJ | HDR_LEADSPC | SILENT,
    NOCONNECT | NOHELO,
    NOMAIL | NR_RCPT,
    NORCPT | NOBODY,
    NOHDRS | NR_BODY,
    NODATA | NOEOH | NOUNKNOWN,
    NOCONNECT | NOHELO | NOMAIL | NORCPT | NODATA | NOUNKNOWN,
]
SPACES = (
    b"Subject:none\r\nX-One: one\r\nX-Two:  two\r\nX-Tab:\ttab\r\nX-Empty:\r\nX-Space: \r\n"
    b"X-Fold:\r\n folded\r\nX-More: a\r\n\t\tb\r\n   c\r\n\r\nHello.\r\n"
)


@pytest.mark.parametrize("first", STEPS, ids=hex)
def test_filters_are_told_what_they_asked_for(pair, first):
    """And what one asks for does not change what the other is told."""
    steps = [HELLO, *mail("a@local.test", "x@elsewhere.test", content=SPACES), "FOO bar", "QUIT"]
    for second in (0, HDR_LEADSPC | RCPT_REJ):
        assert_same(pair.both(steps, {"steps": first}, {"steps": second}))


@pytest.mark.parametrize("version", [2, 3, 4, 5, 6])
def test_older_filters(pair, version):
    """A filter of an older version of the protocol does not know what came later."""
    known = {2: NOTHING & ~NODATA & ~NOUNKNOWN, 3: NOTHING & ~NODATA}.get(version, NOTHING)
    for steps in (0, known & (NOHELO | NOBODY)):
        wants = {
            "version": version,
            "steps": steps,
            "actions": 0x3F,
            "script": {b"E": add_header("X-Old", "yes") + CONTINUE},
        }
        assert_same(pair.both(DIALOG, wants, {}))


MACROS = {
    "nothing": ({}, {}),
    "one each": ({0: "{client_name}", 3: "{rcpt_addr}"}, {2: "{mail_addr} i", 5: "i {rcpt_addr}"}),
    "rare ones": (
        {0: "{client_resolve} {daemon_port} {client_connections}", 1: "{tls_version}", 6: "i"},
        {4: "i j", 5: "v"},
    ),
    "the same": ({3: "{rcpt_addr} {rcpt_host} {rcpt_mailer}"}, {3: "{rcpt_addr}"}),
    "none at all": ({0: "", 1: "", 2: "", 3: "", 4: "", 5: "", 6: ""}, {}),
}
CHANGING = ("i", "{client_port}", "{daemon_port}", "{client_connections}")


MACRO_STAGES = dict(enumerate((b"C", b"H", b"M", b"R", b"T", b"E", b"N")))


@pytest.mark.parametrize("name", MACROS)
def test_macros(pair, name):
    """Each filter has the macros that it asked for, where it asked; elsewhere all that Postfix sends without being asked."""
    wants = MACROS[name]
    seen = pair.both(DIALOG, {"macros": wants[0], "steps": RCPT_REJ}, {"macros": wants[1]})
    assert_same(seen)
    for asked, ours, theirs in zip(wants, seen[1].told, seen[0].told):
        for stage, letter in MACRO_STAGES.items():
            has, would = (
                {
                    key: None if key in CHANGING else value
                    for key, value in view.macros(letter).items()
                }
                for view in (ours, theirs)
            )
            if asked.get(stage) == "":
                assert has == {}, letter
            else:
                assert would.items() <= has.items(), letter
                assert stage not in asked or set(has) <= set(asked[stage].split()), letter


def test_nothing_that_nobody_wants(pair):
    """What neither the filters nor the policy want is not asked of the MTA: no header and no octet of the body crosses it."""
    everything = {"steps": NOTHING, "actions": 0}
    seen = pair.both([HELLO, *mail("a@local.test"), "QUIT"], everything, everything)
    assert_same(seen)
    assert [view.order.strip(b"AQ") for view in seen[1].told] == [b"E", b"E"]


def test_after_a_refused_data(make_pair):
    """Who goes on with the transaction gets no answer of libmilter's: a 4xx when Postfix has waited, and no mail is taken."""
    pair = make_pair(KEEP, settings={"milter_command_timeout": "1s"}).start()
    for goes_on in ("RCPT TO:<b@local.test>", "DATA"):
        steps = [HELLO, *mail("a@local.test")[:-1], goes_on, "QUIT"]
        seen = pair.say(pair.wrapped, steps, {b"T": reply("550 5.7.1 No.")})
        assert seen.replies[-3] == b"550 5.7.1 No.\r\n" and seen.replies[-2][:1] == b"4", seen.replies
        assert seen.mails == []
        steps = [*steps[:-2], "RSET", *mail("b@local.test"), "QUIT"]
        seen = pair.say(pair.wrapped, steps, {b"T": nth(1, reply("550 5.7.1 No."))})
        assert [got.recipients for got in seen.mails] == [["b@local.test"]], seen.replies
