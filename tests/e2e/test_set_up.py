"""replyctl postfix: sets a real Postfix up, tries it out, and gives it back as it was."""

import contextlib
import os

import pytest
from harness import smtp
from harness.net import wait_for
from harness.replymilter import replyctl

SITE = 'site = { help_url = "https://help.test/%{status}"; };\n'


class Admin:
    """Somebody who runs replyctl postfix on the host's Postfix."""

    def __init__(self, host, policy):
        self.host, self.policy = host, policy
        tree = host.postfix.tree
        self.env = tree.environment() | {"PATH": f"{tree.commands}:{os.environ['PATH']}"}

    def run(self, *words, check=True):
        config = self.host.postfix.config
        return replyctl("postfix", "-c", self.policy, "-p", config, *words, check=check, env=self.env)

    def verify(self):
        return self.run("--verify", "--server", f"127.0.0.1:{self.host.port}", check=False)

    def files(self):
        config = self.host.postfix.config
        return {name: open(os.path.join(config, name), "rb").read() for name in ("main.cf", "master.cf")}

    def reload(self):
        postfix = self.host.postfix
        mark = postfix.mark()
        old = self._smtpds()
        for name in ("main.cf", "master.cf"):
            os.utime(os.path.join(postfix.config, name), (1, 1))
        postfix.master.send_signal(1)
        postfix.wait_log("reload -- version", mark)
        # One of before may take a client still.
        wait_for(lambda: not old & self._smtpds(), "the servers of before to end")

    def _smtpds(self):
        found = set()
        for process in self.host.postfix.processes():
            with contextlib.suppress(OSError), open(f"/proc/{process}/comm", encoding="ascii") as name:
                found |= {process} if name.read() == "smtpd\n" else set()
        return found


@pytest.fixture(params=[False, True], ids=["plain", "chroot"])
def admin(request, make_host, folder):
    host = make_host(SITE, doors=[], chroot=request.param, settings={"milter_default_action": "tempfail"})
    policy = host.daemon.policy_path
    if request.param:
        # As on a real host: the name outside is the place inside of the chroot.
        policy = os.path.join(folder, "policy.conf")
        with open(policy, "w", encoding="utf-8") as file:
            for door, name in (("milter", "replymilter"), ("tables", "replymilter-tables")):
                file.write(f'{door} = {{ socket = "unix:{host.postfix.queue}/run/{name}.sock"; link = "/run/{name}.sock"; }};\n')
    return Admin(host, policy)


def test_set_up_tried_and_taken_back(admin):
    before = admin.files()
    assert admin.verify().returncode == 1

    printed = admin.run()
    assert admin.files() == before, "what is only printed changes nothing"
    applied = admin.run("--apply")
    for door in ("smtpd_milters = { unix:", "default_action=accept }", ":delivery"):
        assert door in printed.stdout and door in applied.stdout
    assert "default_delivery_status_filter = proxy:socketmap:" in printed.stdout
    assert not printed.stderr, "every name is right inside and outside of the chroot"
    admin.reload()
    refused = smtp.send(admin.host.port, recipients=["nouser@local.test"])["rcpt"][0]
    assert "https://help.test/5.1.1" in refused.text
    admin.host.daemon.wait_event(door="milter")
    tried = admin.verify()
    assert tried.returncode == 0 and "has spoken" in tried.stdout, tried.stdout + tried.stderr
    assert "nothing to change" in admin.run().stdout

    admin.run("--undo")
    assert admin.files() == before
    admin.reload()
    assert admin.verify().returncode == 1
    assert "nothing to change" in admin.run("--undo").stdout


def test_offers_a_stranger_in_a_domain_of_its_own(make_host):
    """Debian's mydestination has $myhostname, and not $mydomain."""
    host = make_host(SITE, settings={"mydomain": "elsewhere.test", "mydestination": "localhost.here.test, hash:/x, mx.here.test"})
    offered = Admin(host, host.daemon.policy_path).verify()
    assert "RCPT TO:<replymilter-verify-" in offered.stdout and "@mx.here.test>" in offered.stdout, offered.stdout + offered.stderr


def test_own_bounces_and_services_of_their_own(admin):
    config = admin.host.postfix.config
    with open(os.path.join(config, "master.cf"), "a", encoding="utf-8") as master:
        master.write("127.0.0.1:9 inet n - n - - smtpd\n  -o { smtpd_milters = inet:127.0.0.1:8891 }\n")
        master.write("127.0.0.1:99 inet n - n - - smtpd\n  -o smtpd_milters=\n")
    before = admin.files()
    done = admin.run("--apply", "--own-bounces")
    assert "127.0.0.1:99/inet has an smtpd_milters of its own that is empty" in done.stderr
    assert "internal_mail_filter_classes = bounce" in admin.files()["main.cf"].decode()
    services = admin.host.postfix.run("postconf", "-P").stdout
    assert "127.0.0.1:9/inet/smtpd_milters = inet:127.0.0.1:8891,{unix:" in services
    assert "nothing to change" in admin.run("--own-bounces").stdout

    # Somebody has changed main.cf since: only what is ours is taken out.
    with open(os.path.join(config, "main.cf"), "a", encoding="utf-8") as main:
        main.write("delay_warning_time = 1h\n")
    admin.run("--undo")
    after = admin.files()
    assert after["master.cf"] == before["master.cf"]
    assert after["main.cf"] == before["main.cf"] + b"delay_warning_time = 1h\n"
    assert "nothing to change" in admin.run("--undo").stdout


def test_faults(admin):
    admin.policy, good = "/nonexistent.conf", admin.policy
    assert admin.run("--apply", check=False).returncode == 1
    admin.policy = good
    config = admin.host.postfix.config
    os.rename(os.path.join(config, "main.cf"), os.path.join(config, "main.cf.gone"))
    failed = admin.run("--apply", check=False)
    assert failed.returncode == 1 and "postconf failed" in failed.stderr
    os.rename(os.path.join(config, "main.cf.gone"), os.path.join(config, "main.cf"))
    assert admin.run("--apply", "--undo", check=False).returncode == 2
