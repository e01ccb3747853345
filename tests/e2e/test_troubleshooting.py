"""What doc/troubleshooting.md quotes is what the programs say: each symptom is made, and its words are looked for in the page."""

import os
import pathlib
import re
import socket

import pytest
from harness import sendmail as sendmails
from harness import smtp
from harness.mailhost import table
from harness.postfix import Tree
from harness.replymilter import replyctl

if Tree().version[:2] != (3, 7):
    pytest.skip("the page has the words of Postfix 3.7", allow_module_level=True)

PAGE = (pathlib.Path(__file__).parents[2] / "doc/troubleshooting.md").read_text(encoding="utf-8")
NAMES = re.compile(r"(?:unix:|socketmap:unix:)?/?[\w./-]*/?run/(replymilter(?:-tables)?\.sock)")
CLIENT = re.compile(r"unknown\[[\d.]+\]")
SITE = 'site = { help_url = "https://help.test/%{status}"; };\n'


def normal(text):
    """As the page has it: the usual names of sockets, one client, no ids and no numbers of processes."""
    text = NAMES.sub(r"/run/\1", text)
    text = CLIENT.sub("unknown[192.0.2.1]", text)
    return re.sub(r"\b[0-9A-F]{10,}: ", "", text)


QUOTED = normal(PAGE)


def quoted(text):
    """Fails unless the page has these words."""
    assert normal(text) in QUOTED, f"doc/troubleshooting.md does not quote: {normal(text)}"


def lines(host, mark, *patterns):
    """What stands behind "program[number]: " in the first line of the log since `mark` that matches each pattern."""
    for pattern in patterns:
        yield host.postfix.wait_log(pattern, mark)[0].partition("]: ")[2]


@pytest.fixture
def host(shared_host):
    """It is given back with its settings, running."""
    host = shared_host(SITE, doors=["milter"], settings={"milter_default_action": "tempfail"})
    before = dict(host.postfix.settings)
    yield host
    for made, mode in ((host.daemon.socket, 0o660), (host.daemon.tables, 0o660)):
        if os.path.exists(made):
            os.chmod(made, mode)
    if not host.daemon.is_alive():
        host.daemon.start()
    if host.postfix.settings != before:
        host.postfix.settings = before
        host.postfix.reload()


def refused(host, **mail):
    got = smtp.send(host.port, **mail)
    return (got["end"] or (got["rcpt"] or [got["mail"]])[-1]).wire_lines


def test_no_daemon(host):
    host.daemon.stop()
    mark = host.postfix.mark()
    quoted(refused(host)[0])
    for line in lines(host, mark, "connect to Milter", "milter-reject: CONNECT"):
        quoted(line)


def test_no_permission(host):
    os.chmod(host.daemon.socket, 0o600)
    mark = host.postfix.mark()
    assert refused(host)[0].startswith("451 4.7.1")
    (line,) = lines(host, mark, "connect to Milter")
    assert line.endswith(": Permission denied") and "**Permission denied**" in PAGE


@pytest.mark.parametrize(
    "settings",
    [
        {"smtpd_milters": "{ unix:run/replymilter.sock, default_action = accept }"},
        {"smtpd_reject_footer_maps": "socketmap:run/replymilter-tables.sock:footer"},
    ],
    ids=["blanks", "no-unix"],
)
def test_smtpd_dies(make_postfix, settings):
    postfix = make_postfix(settings)
    port = postfix.smtpd()
    postfix.start()
    with socket.create_connection(("127.0.0.1", port)):
        fatal = postfix.wait_log("fatal: ")[0]
    quoted(fatal[fatal.index("fatal: ") :])


def test_no_braces(host):
    host.postfix.reload(smtpd_milters="unix:run/replymilter.sock, default_action=accept")
    mark = host.postfix.mark()
    quoted(refused(host)[0])
    (line,) = lines(host, mark, "transport:endpoint")
    quoted(line)


def test_tables(host):
    host.postfix.reload(smtpd_reject_footer_maps=table("foot"))
    mark = host.postfix.mark()
    refused(host, recipients=["nouser@local.test"])
    (line,) = lines(host, mark, "socketmap server permanent error")
    quoted(line.partition(":foot ")[2])
    os.chmod(host.daemon.tables, 0o600)
    host.postfix.reload(smtpd_reject_footer_maps=table("footer"))
    mark = host.postfix.mark()
    refused(host, recipients=["nouser@local.test"])
    (line,) = lines(host, mark, "table .* lookup error")
    said, _, why = line.rpartition(": ")
    assert why == "Permission denied"
    quoted(said + ": No such file or directory")


def test_no_bounce(host):
    host.postfix.reload(
        smtpd_milters="", non_smtpd_milters="unix:run/replymilter.sock", internal_mail_filter_classes="bounce"
    )
    host.daemon.stop()
    mark = host.postfix.mark()
    host.sink.refusals = {"no@far.test": b"550 5.1.1 no"}
    assert refused(host, recipients=["no@far.test"], source="127.0.0.9")[0].startswith("250")
    for line in lines(host, mark, "milter-reject: CONNECT from localhost", "status=deferred"):
        quoted(line)


def test_a_filter_that_is_not_there(host):
    host.daemon.reload(SITE + 'filters = ( { name = "opendkim"; socket = "unix:/run/none/opendkim.sock"; } );\n')
    before = len(host.daemon.errors())
    quoted(re.sub("^451-4.3.0 ", "", refused(host)[0]))
    said = host.daemon.errors()[before:].replace("/run/none/", "/run/opendkim/")
    quoted(re.search("replymilter: .* filter opendkim: .*", said).group(0))
    host.daemon.reload(SITE)


def test_a_reload_that_is_refused(host):
    for policy, wanted in (
        (SITE + 'replies = { defualt = "keep"; };\n', r"unknown setting.*|error: \S+ the policy is not good.*"),
        (SITE + 'log = { events = "/tmp/other.jsonl"; };\n', "warning: only a restart changes.*"),
    ):
        before = len(host.daemon.errors())
        host.daemon.reload(policy)
        said = host.daemon.errors()[before:].replace(host.daemon.policy_path, "/etc/replymilter.conf")
        found = re.findall(wanted, said)
        assert found
        for line in found:
            quoted(line)
    host.daemon.reload(SITE)


def test_a_reference_of_nobody(host):
    refused(host, recipients=["nouser@local.test"])
    host.daemon.wait_events(1)
    said = replyctl("show", "-c", host.daemon.policy_path, "ABCDEFGH", check=False).stderr.strip()
    quoted(said.replace(host.daemon.events_path, "/var/log/replymilter/events.jsonl"))


def test_sendmail_and_its_socket(make_sendmail, make_sink):
    sendmail = make_sendmail(make_sink().port, filters={"replymilter": sendmails.milter(path="m.sock")})
    os.symlink("nowhere", sendmail.path("run/m.sock"))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sendmail.path("run/nowhere"))
    with listener, pytest.raises(AssertionError) as raised:
        sendmail.start()
    found = re.search(r"Xreplymilter: local socket name \S+ (unsafe: .*)", str(raised.value))
    quoted("Xreplymilter: local socket name /run/replymilter.sock " + found.group(1))


def test_sendmail_and_the_table(make_sendmail, make_sink, folder):
    policy = os.path.join(folder, "policy.conf")
    with open(policy, "w", encoding="ascii") as file:
        for door in ("milter", "tables"):
            file.write(f'{door} = {{ socket = "unix:{sendmails.INSIDE}/run/{door[0]}.sock"; }};\n')
    rules = replyctl("sendmail", "-c", policy, "--ruleset").stdout.partition("LOCAL_CONFIG")
    sendmail = make_sendmail(make_sink().port, rules="".join(rules[1:]))
    os.symlink("nowhere", sendmail.path("run/t.sock"))
    sendmail.start()
    said = smtp.send(sendmail.port, source=sendmails.STRANGER, recipients=["x@else.test"])["rcpt"][0]
    assert said.wire_lines == ["550 5.7.1 <x@else.test>... Relaying denied"]
    line = sendmail.wait_log("SYSERR.*socket map")[0]
    quoted(re.sub(r"\S+t\.sock", "/run/replymilter-tables.sock", line[line.index("SYSERR") :]))
