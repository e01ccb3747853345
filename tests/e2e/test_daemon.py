"""The daemon as a program: options, readiness, what it refuses to start with."""

import os
import re
import signal
import subprocess
import time

import pytest
from harness import smtp
from harness.net import slow, wait_for
from harness.replymilter import program, replyctl


def run(*arguments, **options):
    return subprocess.run(
        [program("replymilter"), *arguments],
        text=True,
        capture_output=True,
        timeout=slow(30),
        **options,
    )


def test_version_and_help():
    version = run("-V")
    assert version.returncode == 0 and re.match(r"replymilter \d+\.\d+", version.stdout)
    usage = run("-h")
    assert usage.returncode == 0
    for option in "cnfpuPvVh":
        assert f"-{option}" in usage.stdout
    assert all(len(line) <= 80 for line in usage.stdout.splitlines())


def test_wrong_option():
    wrong = run("-Z")
    assert wrong.returncode not in (0, 1) and wrong.stderr


def test_check_only(make_daemon):
    daemon = make_daemon('site = { help_url = "https://help.test/"; };')
    assert run("-n", "-c", daemon.policy_path).returncode == 0
    assert not os.path.exists(daemon.socket)
    daemon.write_policy('site = { help_ulr = "https://help.test/"; };')
    bad = run("-n", "-c", daemon.policy_path)
    assert bad.returncode == 1
    assert f"{daemon.policy_path}:" in bad.stderr and 'did you mean "help_url"' in bad.stderr
    checked = replyctl("check", daemon.policy_path, check=False)
    assert checked.returncode == 1 and 'did you mean "help_url"' in checked.stdout + checked.stderr


@pytest.mark.parametrize("what", ["missing", "world-writable", "folder", "syntax"])
def test_policies_it_refuses_to_start_with(make_daemon, what):
    daemon = make_daemon("")
    if what == "missing":
        os.unlink(daemon.policy_path)
    elif what == "world-writable":
        os.chmod(daemon.policy_path, 0o666)
    elif what == "folder":
        os.unlink(daemon.policy_path)
        os.mkdir(daemon.policy_path)
    else:
        daemon.write_policy("checks = (")
    result = run("-f", "-c", daemon.policy_path)
    assert result.returncode != 0
    assert daemon.policy_path in result.stderr
    if what == "world-writable":
        assert "can be written by everybody" in result.stderr
    assert not os.path.exists(daemon.socket)


def test_pid_file_and_socket_option(make_daemon):
    daemon = make_daemon("", tables=False)
    other = os.path.join(daemon.top, "other.sock")
    pid_file = os.path.join(daemon.top, "pid")
    daemon.arguments = ["-P", pid_file, "-p", f"unix:{other}"]
    daemon.start()
    with open(pid_file, encoding="ascii") as file:
        assert int(file.read()) == daemon.process.pid
    assert os.path.exists(other) and not os.path.exists(daemon.socket)
    daemon.stop()
    assert not os.path.exists(pid_file)


def test_tells_systemd(make_daemon):
    daemon = make_daemon("")
    daemon.start()
    daemon.hup()
    daemon.wait_notice("RELOADING=1", "the daemon to say that it reloads")
    daemon.wait_notice("READY=1", "the daemon to be ready again")


def test_signals_reach_the_main_thread_only(make_daemon):
    """libmilter would wait for them on a thread of its own, and end at a SIGHUP that comes that way."""
    daemon = make_daemon("")
    daemon.start()
    ours = (1 << signal.SIGHUP - 1) | (1 << signal.SIGINT - 1) | (1 << signal.SIGTERM - 1)
    main = daemon.process.pid
    for thread in os.listdir(f"/proc/{main}/task"):
        with open(f"/proc/{main}/task/{thread}/status", encoding="ascii") as file:
            blocked = int(re.search(r"SigBlk:\t(\w+)", file.read()).group(1), 16)
        assert blocked & ours == (0 if int(thread) == main else ours), thread


def test_it_stops_at_once(make_daemon):
    """libmilter looks whether it is to stop every five seconds only."""
    daemon = make_daemon("")
    for _ in range(3):
        daemon.start()
        began = time.monotonic()
        daemon.stop()
        assert time.monotonic() - began < slow(2)


def test_settings_that_need_a_restart_are_reported_and_kept(make_daemon):
    daemon = make_daemon("")
    daemon.start()
    daemon.write_policy(
        f'milter = {{ socket = "unix:{daemon.top}/elsewhere.sock"; mode = "0666"; }};'
    )
    daemon.reload()
    wait_for(
        lambda: re.search("milter.socket.*restart|restart.*milter.socket", daemon.errors()),
        "a word about the restart",
    )
    assert os.path.exists(daemon.socket) and not os.path.exists(f"{daemon.top}/elsewhere.sock")
    # what is as it was at the start again needs none
    said = daemon.errors().count("only a restart")
    daemon.write_policy("")
    daemon.reload()
    assert daemon.errors().count("only a restart") == said


def test_no_door_at_all_is_an_error(make_daemon):
    daemon = make_daemon("", milter=False, tables=False)
    result = run("-f", "-c", daemon.policy_path)
    assert result.returncode == 1
    assert "neither milter.socket nor tables.socket is set" in result.stderr


def test_try_says_what_the_daemon_says(make_host):
    policy = (
        'site = { help_url = "https://help.test/%{status}"; };\n'
        'checks = ( { name = "no"; when = { recipient = "second@local.test"; }; then = { code = 550; status = "5.7.1"; text = "Not %{recipient}."; }; } );'
    )
    host = make_host(policy, doors=["milter"])
    said = smtp.send(host.port, recipients=["second@local.test"])["rcpt"][0].wire_lines[0]
    tried = replyctl("try", "-c", host.daemon.policy_path, "--client", "127.0.0.1", "--helo", "client.test", "--sender",
                     "s@sender.test", "--recipient", "second@local.test")  # fmt: skip
    assert said in tried.stdout
