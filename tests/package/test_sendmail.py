"""The package on a host without Postfix, beside Sendmail; then Postfix comes."""

import pytest

from folder import wait_for

POLICY = """
checks = ( { name = "greeting"; when = { helo = "localhost"; }; then = { code = 550; status = "5.7.1"; text = "Not your name."; }; } );
log = { events = "/var/log/replymilter/events.jsonl"; };
"""

pytestmark = pytest.mark.systemd


def test_sockets_are_where_sendmail_finds_them(host):
    host.install("sendmail-bin", "/root/replymilter.deb")
    assert host.say("systemctl is-active replymilter") == "active"
    for name in ("replymilter", "replymilter-tables"):
        assert host.say(f"stat -c '%F %a %U:%G' /run/{name}.sock") == "socket 660 root:replymilter"
    assert not host.path("/var/spool/postfix").exists()


def test_sendmail_refuses_as_the_policy_says(host):
    host.write("/etc/replymilter.conf", POLICY)
    host.say("systemctl restart replymilter")
    milter = (
        "INPUT_MAIL_FILTER(`replymilter', `S=local:/run/replymilter.sock, F=T, T=S:30s;R:30s')dnl"
    )
    mc = host.read("/etc/mail/sendmail.mc")
    assert "MAILER_DEFINITIONS" in mc
    host.write(
        "/etc/mail/sendmail.mc",
        mc.replace("MAILER_DEFINITIONS", f"{milter}\nMAILER_DEFINITIONS", 1),
    )
    host.say("cd /etc/mail && m4 sendmail.mc > sendmail.cf && systemctl restart sendmail")
    session = ("MAIL FROM:<root@localhost>", "RCPT TO:<root>")
    wait_for(
        lambda: host.smtp("EHLO client.test", *session).startswith("250 "), "Sendmail to take mail"
    )
    answer = host.smtp("EHLO localhost", *session)
    assert answer == "550 5.7.1 <root>... Not your name."


def test_removal_says_what_to_take_out_of_sendmail(host):
    said = host.run("apt-get -y remove replymilter", check=True).stdout
    assert "# take the lines with replymilter out of /etc/mail/sendmail.mc, then:" in said
    host.install("/root/replymilter.deb")
    assert host.say("systemctl is-active replymilter") == "active"


def test_sockets_move_when_postfix_comes_and_goes(host):
    host.say("echo 'postfix postfix/main_mailer_type select Local only' | debconf-set-selections")
    host.install("postfix")
    assert host.say("readlink /run/replymilter.sock") == "/var/spool/postfix/run/replymilter.sock"
    assert host.say("systemctl is-active replymilter") == "active"
    host.say("apt-get -y remove postfix")
    assert (
        host.say("stat -c %F /run/replymilter.sock /run/replymilter-tables.sock").split()
        == ["socket"] * 2
    )
    assert host.say("systemctl is-active replymilter") == "active"
