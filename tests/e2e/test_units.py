"""The daemon as its systemd units start it: sockets by name from a service manager, signs of life for the watchdog."""

import configparser
import os
import shlex
import signal
import subprocess
import threading
import time

import pytest

from harness import milter, socketmap
from harness.net import slow, wait_for
from harness.replymilter import build_folder, program

KEY = "550 5.1.1 <a@b.test>: Recipient address rejected: User unknown"


def unit(name):
    """A built unit; of a setting that is given several times, the last."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    with open(os.path.join(build_folder(), "systemd", name), encoding="utf-8") as file:
        parser.read_file(file)
    return parser


@pytest.mark.parametrize("at", ["", "@"])
def test_units_of_an_instance_belong_together(at):
    instance = "@%i" if at else ""
    service = unit(f"replymilter{at}.service")
    sockets = [f"replymilter{instance}.socket", f"replymilter-tables{instance}.socket"]
    assert service["Unit"]["Requires"].split() == service["Service"]["Sockets"].split() == sockets
    policy = "/replymilter/%i.conf" if at else "/replymilter.conf"
    assert service["Service"]["ExecStart"].endswith(policy)
    for name, door in (("replymilter", "milter"), ("replymilter-tables", "tables")):
        settings = unit(f"{name}{at}.socket")["Socket"]
        assert settings["ListenStream"] == f"/var/spool/postfix/run/{name}{instance}.sock"
        assert settings["Symlinks"] == f"/run/{name}{instance}.sock"
        assert settings["FileDescriptorName"] == door
        assert settings["Service"] == f"replymilter{instance}.service"


def test_serves_the_sockets_that_its_socket_units_name(make_daemon):
    daemon = make_daemon(milter=False, tables=False)
    wrapper, names = ["systemd-socket-activate"], []
    for name in ("replymilter-tables", "replymilter"):  # in another order than it asks for them
        settings = unit(f"{name}.socket")["Socket"]
        wrapper += ["-l", os.path.join(daemon.run, os.path.basename(settings["ListenStream"]))]
        names.append(settings["FileDescriptorName"])
    for variable in ("NOTIFY_SOCKET", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "G_SLICE"):
        wrapper += ["-E", variable]
    daemon.wrapper = [*wrapper, f"--fdname={':'.join(names)}", "--"]
    # The first client finds a socket and no daemon yet, and is served.
    answers = []
    client = threading.Thread(target=lambda: answers.append(first_query(daemon.tables)))
    client.start()
    daemon.start()
    client.join()
    assert answers[0][0] == "OK" and b"There is no such mailbox here" in answers[0][1]
    with milter.Milter(daemon.socket) as session:
        session.negotiate()
    assert f"milter door on unix:{daemon.socket}" in daemon.errors()
    # The names are the service manager's: they stay for the next daemon.
    daemon.stop()
    assert os.path.exists(daemon.socket) and os.path.exists(daemon.tables)


@pytest.mark.parametrize("at", ["", "@"])
def test_a_reload_that_is_refused_tells_each_fault_once(make_daemon, at):
    """Of the check before the signal and of the daemon, only the daemon speaks; so it is with warnings."""
    daemon = make_daemon()
    daemon.start()
    service = unit(f"replymilter{at}.service")["Service"]
    shell, option, script = shlex.split(service["ExecReload"].replace("$$", "$"))
    installed_names = service["ExecStart"].split(" -c ")
    for installed, ours in zip(installed_names, (program("replymilter"), daemon.policy_path)):
        assert installed in script
        script = script.replace(installed, ours)

    def reload(policy):
        daemon.write_policy(policy)
        while daemon.notice() is not None:
            pass
        before = len(daemon.errors())
        with open(daemon.error_path, "ab") as journal:
            result = subprocess.run(
                [shell, option, script],
                env=os.environ | {"MAINPID": str(daemon.process.pid)},
                stdout=journal,
                stderr=journal,
                timeout=slow(30),
            )
        daemon.wait_notice("READY=1", "the daemon to have reloaded")
        return result.returncode, daemon.errors()[before:]

    status, said = reload("nonsense = 1;\n")
    assert status == 1
    assert said.count("nonsense") == 1 and said.count("the old one stays in force") == 1, said
    status, said = reload("")
    assert status == 0 and said.count('mode "0666"') == 2 and said.count(": loaded") == 1, said


def first_query(path):
    wait_for(lambda: os.path.exists(path), "the socket of systemd-socket-activate")
    with socketmap.Client(path, timeout=30) as client:
        return client.ask("footer", KEY)


def test_gives_signs_of_life_while_its_main_thread_lives(make_daemon):
    daemon = make_daemon(wrapper=["env", "WATCHDOG_USEC=4000000"])
    daemon.start()
    for _ in range(2):
        daemon.wait_notice("WATCHDOG=1", "a sign of life")
    daemon.reload()
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        while daemon.notice() is not None:
            pass
        time.sleep(slow(1.5))
        assert daemon.notice() is None
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)
    daemon.wait_notice("WATCHDOG=1", "a sign of life")


def test_gives_none_that_nobody_asked_for(make_daemon):
    daemon = make_daemon()
    daemon.start()
    time.sleep(slow(1.5))
    assert daemon.notice() is None
