"""The package beside Postfix: installed, used, upgraded, removed, purged."""

import json
import pathlib
import re
import time

import pytest

from folder import wait_for

TOP = pathlib.Path(__file__).parents[2]
EVENTS = "/var/log/replymilter/events.jsonl"
POLICY = "/etc/replymilter.conf"
SOCKETS = ("replymilter", "replymilter-tables")
REFUSED = ("EHLO client.test", "MAIL FROM:<sender@example.org>", "RCPT TO:<stranger@here.test>")
ACCEPTED = (*REFUSED[:2], "RCPT TO:<root@here.test>")


def names(host, folder="/run"):
    return host.say(f"ls {folder} | grep '^replymilter.*sock' || true").split()


def main_pid(host, unit="replymilter"):
    """The number of its process there; it must have one."""

    def found():
        number = host.say(f"systemctl show --property=MainPID --value {unit}")
        return number if number != "0" else None

    return wait_for(
        found, lambda: f"{unit} to run:\n{host.say(f'systemctl status {unit} || true')}"
    )


def events_of(host, file=EVENTS):
    return [json.loads(line) for line in host.read(file).splitlines()]


def test_installs_without_a_change_to_postfix(host):
    host.say(
        "echo 'postfix postfix/main_mailer_type select Internet Site' | debconf-set-selections"
    )
    host.install("postfix")
    before = host.say("cat /etc/postfix/main.cf /etc/postfix/master.cf | sha256sum")
    host.install("/root/replymilter.deb")
    assert host.say("cat /etc/postfix/main.cf /etc/postfix/master.cf | sha256sum") == before
    assert host.say("dpkg --audit") == ""
    assert re.search(
        r"^replymilter:x:\d+:\d+:.*:/nonexistent:/usr/sbin/nologin$",
        host.say("getent passwd replymilter"),
    )
    assert host.say("id -nG postfix") == "postfix"
    assert host.say("replyctl --version").startswith("replyctl ")
    host.say("replyctl check")
    assert "/etc/replymilter.conf" in host.say("dpkg-query -W -f '${Conffiles}' replymilter")
    if not host.with_systemd:
        host.start_units()


def test_files_belong_to_whom_they_should(host):
    stat = "stat -c '%a %U:%G'"
    assert host.say(f"{stat} {EVENTS}") == "640 replymilter:adm"
    assert host.say(f"{stat} /var/log/replymilter") == "755 replymilter:replymilter"
    assert host.say(f"{stat} /var/lib/replymilter") == "750 replymilter:replymilter"
    assert host.say(f"{stat} {POLICY}") == "644 root:root"
    for name in SOCKETS:
        assert host.say(f"{stat} /var/spool/postfix/run/{name}.sock") == "660 root:replymilter"
        assert host.say(f"readlink /run/{name}.sock") == f"/var/spool/postfix/run/{name}.sock"


def test_units_are_sound(host):
    units = "/lib/systemd/system/replymilter*"
    said = host.say(
        f"for unit in $(ls {units} | grep -v @) /lib/systemd/system/replymilter@x.service; do"
        " systemd-analyze verify --man=no $unit 2>&1; done"
    )
    assert "replymilter" not in said, said
    for unit in ("replymilter", "replymilter@", "replymilter-follow"):
        host.say(
            f"systemd-analyze security --offline=true --threshold=15 /lib/systemd/system/{unit}.service"
        )
    host.say("logrotate --debug /etc/logrotate.d/replymilter")


@pytest.mark.systemd
def test_runs_as_its_units_say(host):
    for unit in ("replymilter.service", "replymilter.socket", "replymilter-tables.socket"):
        assert host.say(f"systemctl is-active {unit}; systemctl is-enabled {unit}").split() == [
            "active",
            "enabled",
        ]
    assert host.run("systemctl is-enabled replymilter-follow").stdout.strip() == "disabled"
    status = host.read(f"/proc/{main_pid(host)}/status")
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    assert "CapEff:\t0000000000000000" in status and "CapBnd:\t0000000000000000" in status
    assert "Serving the policy of /etc/replymilter.conf" in host.say("systemctl status replymilter")
    assert host.say("systemctl show -p WatchdogUSec --value replymilter") == "1min"


def test_autopkgtest(host):
    host.put(TOP / "debian/tests/postfix", "/root/postfix")
    said = host.run("/root/postfix")
    assert said.returncode == 0, said.stdout
    assert "replymilter" not in host.run("postfix check").stdout


def test_the_daemon_is_asked_and_steered(host):
    """By root; the group of its socket, in which the mail server is, may ask and change nothing."""
    assert host.say("stat -c '%a %U:%G' /run/replymilter/control") == "660 replymilter:replymilter"
    status = json.loads(host.say("replyctl status --json"))
    assert status["policy"]["file"] == POLICY and status["events"]["log"] == EVENTS
    assert set(status["doors"]) == {"milter", "tables", "control"}
    assert host.say("replyctl trace tables && replyctl trace none").split() == ["tables", "none"]
    member = "setpriv --reuid=nobody --regid=replymilter --clear-groups replyctl"
    assert json.loads(host.say(f"{member} status --json"))["pid"] == status["pid"]
    assert "only root" in host.say(f"{member} trace all 2>&1 || true")
    assert "permission denied" in host.say(
        "setpriv --reuid=nobody --regid=nogroup --clear-groups replyctl status 2>&1 || true"
    )


def test_postfix_gets_back_what_it_had(host):
    host.say("replyctl postfix --undo")
    assert "replymilter" not in host.say("cat /etc/postfix/main.cf /etc/postfix/master.cf")
    host.say("replyctl postfix --apply && postfix reload")


def test_group_adm_reads_events_and_others_do_not(host):
    read = f"setpriv --reuid=nobody --regid=%s --clear-groups head -c 1 {EVENTS}"
    assert host.say(read % "adm") == "{"
    assert host.run(read % "nogroup").returncode != 0


@pytest.mark.systemd
def test_says_in_the_log_only_what_logcheck_ignores(host):
    host.say("systemctl reload replymilter && journalctl --sync")
    lines = host.say("journalctl -o short -t replymilter | tee /root/lines; wc -l < /root/lines")
    left = host.run("grep -vEf /etc/logcheck/ignore.d.server/replymilter /root/lines").stdout
    assert left == "", left
    assert "version 0.1.0 serves the policy of" in lines
    fields = json.loads(host.say("journalctl -o json -n 1 -t replymilter"))
    assert fields["SYSLOG_FACILITY"] == "2", "facility mail"
    assert fields["PRIORITY"] == "5", "notice"


@pytest.mark.systemd
def test_reload_refuses_a_policy_that_is_wrong(host):
    before, good = main_pid(host), host.read(POLICY)
    host.write(POLICY, good + "checks = 3;\n")
    refused = host.run("systemctl reload replymilter")
    assert refused.returncode != 0
    assert "reload        FAILED" in host.say("replyctl status 2>&1")
    assert re.search(
        r"/etc/replymilter.conf:\d+: ", host.say("journalctl -p err -n 20 -t replymilter")
    )
    assert main_pid(host) == before and host.say("systemctl is-active replymilter") == "active"
    assert "Reference:" in host.smtp(*REFUSED)
    host.write(POLICY, good)
    host.say("systemctl reload replymilter")


@pytest.mark.systemd
def test_started_with_a_wrong_policy_it_holds_up_no_mail(host):
    """Not tried for ever, while Postfix waits at the sockets; and mended, it is there again."""
    good = host.read(POLICY)
    host.write(POLICY, good + "checks = 3;\n")
    assert host.run("systemctl restart replymilter").returncode != 0
    began = time.monotonic()
    assert host.smtp(*REFUSED).startswith("550")
    assert time.monotonic() - began < 20
    assert host.run("systemctl is-active replymilter.socket").stdout.strip() == "failed"
    host.write(POLICY, good)
    host.say("systemctl reset-failed replymilter; systemctl restart replymilter")
    assert "Reference:" in host.smtp(*REFUSED)


@pytest.mark.systemd
def test_a_rotated_log_is_let_go_even_with_a_wrong_policy(host):
    good = host.read(POLICY)
    host.write(POLICY, good + "checks = 3;\n")
    old = len(events_of(host))
    assert old > 0
    host.say("logrotate --force /etc/logrotate.d/replymilter")
    wait_for(lambda: host.smtp(*REFUSED) and events_of(host), "events in the new file")
    kept = host.read(f"{EVENTS}.1")
    assert kept.count("\n") >= old
    assert "Reference:" in host.smtp(*REFUSED) and host.read(f"{EVENTS}.1") == kept
    assert host.say(f"stat -c '%a %U:%G' {EVENTS}") == "640 replymilter:adm"
    host.write(POLICY, good)
    host.say("systemctl reload replymilter")


@pytest.mark.systemd
def test_killed_it_comes_back_and_nobody_is_turned_away(host):
    before, socket = main_pid(host), host.say("stat -c %i /var/spool/postfix/run/replymilter.sock")
    host.say(f"kill -9 {before}")
    assert "Reference:" in host.smtp(
        *REFUSED
    ), "waits for the daemon on the socket that systemd holds"
    assert main_pid(host) != before
    assert host.say("stat -c %i /var/spool/postfix/run/replymilter.sock") == socket


@pytest.mark.systemd
def test_the_watchdog_ends_a_daemon_that_hangs(host):
    host.say("mkdir -p /run/systemd/system/replymilter.service.d")
    host.write("/run/systemd/system/replymilter.service.d/test.conf", "[Service]\nWatchdogSec=3\n")
    host.say("systemctl daemon-reload && systemctl restart replymilter && sleep 4")
    before = main_pid(host)
    assert (
        host.say("systemctl show -p NRestarts --value replymilter") == "0"
    ), "signs of life are given in time"
    host.say(f"kill -STOP {before}")
    wait_for(lambda: main_pid(host) != before, "the watchdog")
    assert "Watchdog timeout" in host.say("journalctl -u replymilter -n 30")
    assert "Reference:" in host.smtp(*REFUSED)
    host.say("rm -r /run/systemd/system/replymilter.service.d && systemctl daemon-reload")


@pytest.mark.systemd
def test_a_second_instance_has_sockets_and_a_policy_of_its_own(host):
    host.write(
        "/etc/replymilter/submission.conf",
        'site = { contact = "help@here.test"; };\nlog = { events = "/var/log/replymilter/submission.jsonl"; };\n'
        'control = { socket = "unix:/run/replymilter@submission/control"; };\n',
    )
    host.say("systemctl enable --now replymilter@submission")
    key = "'550 5.1.1 <a@here.test>: Recipient address rejected: User unknown'"
    ask = f"postmap -q {key} socketmap:unix:/run/replymilter-tables%s.sock:footer"
    assert "help@here.test" in host.say(ask % "@submission")
    assert "help@here.test" not in host.say(ask % "")
    assert sorted(names(host)) == sorted(
        f"{name}{at}.sock" for name in SOCKETS for at in ("", "@submission")
    )
    host.say("systemctl reload replymilter@submission")
    pids = [
        json.loads(host.say(f"replyctl status --json {which}"))["pid"]
        for which in ("", "-c /etc/replymilter/submission.conf")
    ]
    assert pids[0] != pids[1]
    wait_for(lambda: events_of(host, "/var/log/replymilter/submission.jsonl"), "its event")


@pytest.mark.systemd
def test_local_deliveries_reach_the_table(host):
    """local(8) is in no group of ours when it asks."""
    host.say("echo hello | sendmail root@here.test")
    wait_for(lambda: "status=sent" in host.say("journalctl -t postfix/local"), "the delivery")
    assert "lookup error" not in host.say("journalctl -t postfix/local -t postfix/proxymap")


@pytest.mark.systemd
def test_follows_the_journal(host):
    host.say("systemctl start replymilter-follow")
    assert host.say("systemctl is-active replymilter-follow") == "active"
    before = len(events_of(host))
    host.say(
        "logger -t postfix/smtp -p mail.info '4XYZ: to=<gone@example.org>, relay=mx.example.org[192.0.2.1]:25, delay=1,"
        " delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.org[192.0.2.1] said: 550 5.1.1 no such user)'"
    )
    event = wait_for(lambda: events_of(host)[before:], "the event of a bounced delivery")[0]
    assert event["door"] == "log" and event["recipient"] == "gone@example.org"


def upgraded(host):
    """A later version of the package, whose policy file has another comment."""
    host.say(
        "cd /root && dpkg-deb -R replymilter.deb later && sed -i 's/^Version: .*/&+later/' later/DEBIAN/control &&"
        " echo '# a later comment' >> later/etc/replymilter.conf && dpkg-deb --root-owner-group -b later later.deb"
    )
    return "/root/later.deb"


def test_an_upgrade_keeps_the_policy_and_the_sockets(host):
    host.write(POLICY, host.read(POLICY) + "# my own line\n")
    inode = host.say("stat -c %i /var/spool/postfix/run/replymilter.sock")
    units = (
        ("replymilter", "replymilter@submission", "replymilter-follow") if host.with_systemd else ()
    )
    before = [main_pid(host, unit) for unit in units]
    host.install(upgraded(host), options="-o Dpkg::Options::=--force-confold")
    assert host.say("dpkg-query -W -f '${Version}' replymilter").endswith("+later")
    assert host.read(POLICY).endswith("# my own line\n")
    assert host.say("stat -c %i /var/spool/postfix/run/replymilter.sock") == inode
    assert not set(before) & {main_pid(host, unit) for unit in units}, "all that ran was restarted"
    assert "Reference:" in host.smtp(*REFUSED)


def test_removal_says_what_to_take_out_of_postfix(host):
    host.say(
        "postconf -e 'non_smtpd_milters = inet:localhost:11332, { unix:/run/replymilter.sock, default_action = accept }'"
        " 'smtpd_milters = unix:/run/replymilter.sock' 'milter_default_action = tempfail' && postfix reload"
        " && postconf -P 'smtp/inet/smtpd_milters = unix:/run/replymilter.sock,unix:/run/other.sock'"
    )
    said = host.run("apt-get -y remove replymilter", check=True).stdout
    assert "the mail server still asks it" in said
    if not host.with_systemd:
        host.say(
            "pkill -x replymilter; rm -f /run/replymilter*.sock /var/spool/postfix/run/replymilter*.sock"
        )
    assert host.smtp(*ACCEPTED).startswith("451 "), "this is what the warning is about"
    commands = re.findall(r"^    (post.*)$", said, re.M)
    assert {
        "postconf -e 'non_smtpd_milters = inet:localhost:11332'",
        "postconf -X 'smtpd_milters'",
        "postconf -X 'smtpd_reject_footer_maps'",
        "postconf -P 'smtp/inet/smtpd_milters = unix:/run/other.sock'",
    } < set(commands)
    assert commands[-1] == "postfix reload"
    host.say(" && ".join(commands))
    assert "replymilter" not in host.say("postconf -n; postconf -P")
    host.say("postconf -PX smtp/inet/smtpd_milters && postfix reload")
    wait_for(lambda: host.smtp(*ACCEPTED).startswith("250 "), "Postfix to take mail again")


def test_removal_leaves_what_is_the_administrators(host):
    assert host.read(POLICY).endswith("# my own line\n")
    assert len(host.read(EVENTS)) > 0
    assert names(host) == names(host, "/var/spool/postfix/run") == []
    if host.with_systemd:
        assert "replymilter" not in host.say(
            "systemctl list-units --type=service,socket --no-legend --plain"
        )


def test_purge_leaves_nothing_but_the_user(host):
    host.say("apt-get -y purge replymilter")
    left = host.say(
        "find / -xdev -name '*replymilter*' -not -path '/root/*' -not -name '*.before-replymilter-*'"
    )
    assert left == ""
    assert not host.path("/var/spool/postfix/run").exists()
    assert host.say("getent passwd replymilter") != ""
    assert host.say("dpkg --audit") == ""
    assert host.smtp(*ACCEPTED).startswith("250 ")


def test_nothing_is_said_where_postfix_asks_nothing(host):
    host.install("/root/replymilter.deb")
    said = host.run("apt-get -y purge replymilter", check=True).stdout
    assert "***" not in said and "postconf" not in said
