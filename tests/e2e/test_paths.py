"""Where sockets live and who may open them: chrooted smtpd, links, modes, groups, privileges, sockets handed over."""

import grp
import os
import pwd
import shutil
import socket
import stat
import subprocess

import pytest
from harness import guard, smtp
from harness.alone import run_alone
from harness.net import free_port, wait_for
from harness.replymilter import program
from harness.socketmap import Client

SITE = 'site = { help_url = "https://help.test/%{status}"; };\n'
UNKNOWN = "550 5.1.1 <nouser@local.test>: Recipient address rejected: User unknown in local recipient table"
OTHERS = 4242  # the id of a group that the host does not have
DENIED = "connect to Milter service .*Permission denied"


def refusal_is_annotated(host, port=None):
    return (
        "https://help.test/5.1.1"
        in smtp.send(port or host.port, recipients=["nouser@local.test"])["rcpt"][0].text
    )


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
def test_relative_path(shared_host, chroot):
    """The simplest recipe: relative to the queue folder."""
    host = shared_host(SITE, chroot=chroot)
    assert refusal_is_annotated(host)
    host.daemon.wait_event(door="milter")


def absolute(path, daemon_socket=None):
    """Sockets at `path` (and the daemon's policy for them, with links where it differs)."""
    real = daemon_socket or path
    link = f' link = "{path}/%s.sock";' if real != path else ""
    rows = "".join(
        f'{door} = {{ socket = "unix:{real}/{door}.sock"; mode = "0666";{link.replace("%s", door)} }};\n'
        for door in ("milter", "tables")
    )
    settings = {
        "smtpd_milters": f"unix:{path}/milter.sock",
        "smtpd_reject_footer_maps": f"socketmap:unix:{path}/tables.sock:footer",
    }
    return SITE + rows, settings


def test_absolute_path_outside_is_not_seen_from_a_chroot(make_host, folder):
    policy, settings = absolute(folder)
    host = make_host(policy, doors=[], settings=settings)
    jailed = host.postfix.smtpd(chroot=True)
    host.postfix.stop()
    host.postfix.start()
    assert refusal_is_annotated(host)
    assert not refusal_is_annotated(host, jailed)
    host.postfix.wait_log("connect to Milter service .*No such file or directory")
    assert smtp.send(jailed)["end"].code == 250


def test_a_link_from_outside_serves_both(make_host, folder, request):
    """The socket inside the queue folder at the same path, a link to it outside: one name for every smtpd."""
    host = make_host(start=False, doors=[])
    inside = host.postfix.queue + folder
    os.makedirs(inside)
    policy, settings = absolute(folder, inside)
    host.daemon.write_policy(policy)
    host.postfix.settings.update(settings)
    jailed = host.postfix.smtpd(chroot=True)
    host.start()
    assert os.path.islink(f"{folder}/milter.sock")
    assert refusal_is_annotated(host)
    assert refusal_is_annotated(host, jailed)
    host.daemon.wait_events(2, door="milter")


def test_mode_and_group(shared_host):
    host = shared_host(SITE)
    group = grp.getgrnam(host.daemon.group).gr_gid
    for path in (host.daemon.socket, host.daemon.tables):
        status = os.stat(path)
        assert stat.S_ISSOCK(status.st_mode)
        assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o660, group)


def test_a_group_that_postfix_is_not_in(make_host):
    host = make_host(start=False)
    host.daemon.group = "news"
    host.daemon.write_policy(SITE)
    host.start()
    assert not refusal_is_annotated(host)
    host.postfix.wait_log(DENIED)
    assert smtp.send(host.port)["end"].code == 250


def own_groups(folder, members=()):
    """The group `others` of nobody but these, in an /etc/group that only who has left the host's mounts sees."""
    path, mounted = f"{folder}/group", os.path.exists(f"{folder}/group")
    if not mounted:
        shutil.copyfile("/etc/group", f"{folder}/group.before")
    with open(f"{folder}/group.before", encoding="utf-8") as before, open(
        path, "w", encoding="utf-8"
    ) as group:
        group.write(before.read() + f"others:x:{OTHERS}:{','.join(members)}\n")
    if not mounted:
        os.chmod(path, 0o644)
        subprocess.run(["mount", "--bind", path, "/etc/group"], check=True)


def host_with_sockets_of_others(make_host, **options):
    host = make_host(start=False, **options)
    host.daemon.group = "others"
    host.daemon.write_policy(SITE)
    host.start()
    return host


@pytest.mark.parametrize("chroot", [False, True], ids=["plain", "chroot"])
def test_postfix_as_a_member_of_the_sockets_group(make_host, folder, chroot):
    """Postfix keeps its supplementary groups; a new membership needs no more than `postfix reload`."""

    def alone():
        own_groups(folder)
        host = host_with_sockets_of_others(make_host, chroot=chroot)
        try:
            for path in (host.daemon.socket, host.daemon.tables):
                status = os.stat(path)
                access = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
                assert access == (0o660, 0, OTHERS)
            assert not refusal_is_annotated(host)
            host.postfix.wait_log(DENIED)
            assert smtp.send(host.port)["end"].code == 250
            own_groups(folder, [host.postfix.owner])
            host.postfix.reload()
            mark = host.postfix.mark()
            assert refusal_is_annotated(host)
            host.daemon.wait_events(1, door="milter", recipient="nouser@local.test")
            assert smtp.send(host.port)["end"].code == 250
            assert host.postfix.log_lines("Permission denied", mark) == []
        finally:
            host.close()

    run_alone(alone)


@pytest.mark.parametrize("default, code", [("tempfail", 451), ("accept", 250), ("reject", 550)])
def test_mail_goes_on_where_postfix_is_no_member(make_host, folder, default, code):
    def alone():
        own_groups(folder, ["games"])
        host = host_with_sockets_of_others(make_host, settings={"milter_default_action": default})
        try:
            got = smtp.send(host.port)
            assert (got["end"] or got["mail"]).code == code
            host.postfix.wait_log(DENIED)
            assert host.daemon.events() == []
        finally:
            host.close()

    run_alone(alone)


def test_a_folder_that_postfix_may_not_enter(make_host):
    host = make_host(SITE, start=False)
    os.chmod(host.daemon.run, 0o750)
    host.start()
    assert not refusal_is_annotated(host)
    host.postfix.wait_log(DENIED)


@pytest.mark.parametrize("default, code", [("tempfail", 451), ("accept", 250), ("reject", 550)])
def test_mail_goes_on_as_the_mta_is_set_to(make_host, default, code):
    host = make_host(SITE, settings={"milter_default_action": default})
    host.daemon.kill()
    got = smtp.send(host.port)
    last = got["end"] or got["mail"]
    assert last.code == code


def test_privileges_are_dropped(make_host):
    host = make_host(SITE, arguments=["-u", "nobody"], start=False)
    os.chown(host.daemon.top, pwd.getpwnam("nobody").pw_uid, -1)
    host.start()
    with open(f"/proc/{host.daemon.process.pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    nobody = pwd.getpwnam("nobody")
    assert set(fields["Uid"].split()) == {str(nobody.pw_uid)}
    assert set(fields["Gid"].split()) == {str(nobody.pw_gid)}
    assert fields["CapEff"].strip("0") == ""
    assert refusal_is_annotated(host)
    host.daemon.reload(SITE.replace("help.test", "other.test"))
    assert (
        "https://other.test/"
        in smtp.send(host.port, recipients=["nouser@local.test"])["rcpt"][0].text
    )


def test_a_stale_socket_does_not_stop_the_start(make_host):
    host = make_host(SITE)
    host.daemon.kill()
    assert os.path.exists(host.daemon.socket)
    host.daemon.start()
    assert refusal_is_annotated(host)


def test_sockets_of_a_running_daemon_are_not_taken_over(shared_host):
    host = shared_host(SITE)
    second = subprocess.run(
        [program("replymilter"), "-f", "-c", host.daemon.policy_path],
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert second.returncode != 0 and host.daemon.socket in second.stderr
    assert refusal_is_annotated(host)


def test_something_else_at_the_path_is_left_alone(make_daemon):
    daemon = make_daemon(SITE)
    with open(daemon.socket, "w", encoding="ascii") as file:
        file.write("precious")
    with pytest.raises(AssertionError, match="the daemon ended with"):
        daemon.start()
    with open(daemon.socket, encoding="ascii") as file:
        assert file.read() == "precious"


def test_inet(make_host):
    port, tables = free_port(), free_port()
    policy = (
        SITE
        + f'milter = {{ socket = "inet:{port}@127.0.0.1"; }};\ntables = {{ socket = "inet:{tables}@127.0.0.1"; }};\n'
    )
    settings = {
        "smtpd_milters": f"inet:127.0.0.1:{port}",
        "smtpd_reject_footer_maps": f"socketmap:inet:127.0.0.1:{tables}:footer",
    }
    host = make_host(policy, doors=[], settings=settings, chroot=True)
    assert refusal_is_annotated(host)
    host.daemon.wait_event(door="milter")


def test_sockets_that_systemd_hands_over(make_host):
    """fd:3 and fd:4 are ours before the daemon starts and stay after it has ended."""
    host = make_host(start=False)
    listeners = []
    for path in (host.daemon.socket, host.daemon.tables):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(20)
        listeners.append(listener)
    host.daemon.write_policy(
        SITE + 'milter = { socket = "fd:3"; };\ntables = { socket = "fd:4"; };\n'
    )
    host.daemon.handed_over = [listener.fileno() for listener in listeners]
    host.start()
    assert refusal_is_annotated(host)
    host.daemon.stop()
    assert os.path.exists(host.daemon.socket) and os.path.exists(host.daemon.tables)
    host.daemon.start()
    assert refusal_is_annotated(host)
    for listener in listeners:
        listener.close()


def test_nothing_is_left_after_the_end(make_daemon):
    daemon = make_daemon(SITE)
    daemon.start()
    group = daemon.process.pid
    assert os.path.exists(daemon.socket)
    daemon.stop()
    assert not os.path.exists(daemon.socket) and not os.path.exists(daemon.tables)
    assert guard.group_members(group) == []


def test_the_tables_alone_and_the_milter_alone(make_daemon):
    tables = make_daemon(SITE, milter=False)
    tables.start()
    with Client(tables.tables) as client:
        assert client.ask("footer", UNKNOWN)[0] == "OK"
    assert not os.path.exists(tables.socket)
    milter = make_daemon(SITE, tables=False)
    milter.start()
    wait_for(lambda: os.path.exists(milter.socket), "the milter's socket")
    assert not os.path.exists(milter.tables)
    assert shutil.disk_usage(milter.top)
