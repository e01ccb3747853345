"""The control door: what the running daemon tells of itself, what is switched while it runs, and who may."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest
from harness import milter, socketmap
from harness.net import slow, wait_for
from harness.replymilter import program, replyctl

pytestmark = pytest.mark.threaded

NOBODY = 65534


@pytest.fixture
def daemon(make_daemon):
    made = make_daemon("")
    made.control = os.path.join(made.top, "control")
    made.write_policy(control(made))
    made.start()
    return made


def control(daemon, more=""):
    return f'control = {{ socket = "unix:{daemon.control}"; }};\n{more}'


def ask(daemon, command, *words, check=True, **options):
    return replyctl(command, "-c", daemon.policy_path, *words, check=check, **options)


def status(daemon):
    return json.loads(ask(daemon, "status", "--json").stdout)


def as_nobody(*command):
    """Runs a program as a user who is nobody here."""
    return subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command],
        capture_output=True,
        text=True,
        timeout=slow(30),
        cwd="/",
    )


def test_status(daemon):
    told = status(daemon)
    assert told["pid"] == daemon.process.pid and told["state"] == "running"
    assert told["policy"]["file"] == daemon.policy_path and told["policy"]["loads"] == 1
    assert told["doors"]["milter"]["socket"] == f"unix:{daemon.socket}"
    assert told["doors"]["tables"]["socket"] == f"unix:{daemon.tables}"
    assert told["doors"]["control"]["socket"] == f"unix:{daemon.control}"
    assert told["events"]["log"] == daemon.events_path
    with milter.Milter(daemon.socket) as session, socketmap.Client(daemon.tables) as client:
        session.negotiate()
        assert client.ask("reject", "550 5.1.1 <x@y.test>: User unknown")[0] == "OK"
        daemon.wait_events(1)
        told = status(daemon)
        assert told["doors"]["milter"]["sessions"] == 1
        tables = told["doors"]["tables"]
        assert (tables["connections"], tables["lookups"], tables["found"]) == (1, 1, 1)
        assert told["events"]["written"] == 1
        shown = " ".join(ask(daemon, "status").stdout.split())  # it is wrapped
        assert "1 session of 2000 at most" in shown and "1 connection, 1 lookup" in shown
        assert f"as process {daemon.process.pid}" in shown
    wait_for(lambda: status(daemon)["doors"]["milter"]["sessions"] == 0, "the session to be gone")


def test_status_through_reloads(daemon):
    before = status(daemon)["policy"]
    daemon.reload(control(daemon, 'site = { contact = "x@example.net"; };\n'))
    loaded = status(daemon)["policy"]
    assert loaded["loads"] == 2 and loaded["loaded"] > before["loaded"]
    assert "last_failure" not in loaded
    daemon.reload(control(daemon, "site = { contcat = 5; };\nsites = { };\n"))
    failed = status(daemon)["policy"]
    assert (failed["loads"], failed["failures"], failed["loaded"]) == (2, 1, loaded["loaded"])
    assert not failed["last_failure"]["mended"]
    problems = failed["last_failure"]["problems"]
    assert len(problems) == 2 and 'did you mean "contact"' in problems[0]
    shown = " ".join(ask(daemon, "status").stdout.split())
    assert "FAILED" in shown and "contcat" in shown
    daemon.reload(control(daemon))
    mended = status(daemon)["policy"]
    assert mended["last_failure"]["mended"] and mended["loads"] == 3
    assert "has gone well since" in " ".join(ask(daemon, "status").stdout.split())


def test_status_finds_the_daemon_by_a_policy_that_is_wrong(daemon):
    """In a file that cannot even be parsed there is no socket to be found, and another daemon is not asked instead."""
    daemon.write_policy(control(daemon, 'log = { addresses = "hashed"; key_file = "/gone"; };\n'))
    assert status(daemon)["pid"] == daemon.process.pid
    daemon.write_policy(control(daemon, "site = {"))
    lost = ask(daemon, "status", check=False)
    assert lost.returncode == 1 and "name its socket by --socket" in lost.stderr
    by_name = replyctl("status", "--json", "--socket", daemon.control)
    assert json.loads(by_name.stdout)["pid"] == daemon.process.pid


def test_trace_is_switched_at_once(daemon):
    def traced(key):
        """What the log has got since, by a question to the tables."""
        before = len(daemon.errors())
        with socketmap.Client(daemon.tables) as client:
            client.ask("reject", key)
        return "trace: " in daemon.errors()[before:]

    assert not traced("550 5.1.1 one")
    assert ask(daemon, "trace", "tables").stdout == "tables\n"
    assert traced("550 5.1.1 two")
    assert ask(daemon, "trace", "milter", "engine").stdout == "milter,engine\n"
    assert not traced("550 5.1.1 three")
    assert ask(daemon, "trace", "all").stdout == "all\n" and status(daemon)["log"]["trace"] == "all"
    assert traced("550 5.1.1 four")
    assert ask(daemon, "trace", "none").stdout == "none\n"
    assert not traced("550 5.1.1 five")
    wrong = ask(daemon, "trace", "tabels", check=False)
    assert wrong.returncode == 1 and 'unknown trace area "tabels"' in wrong.stderr
    assert ask(daemon, "trace").stdout == "none\n"
    assert f"traced from now on: tables (by user {os.getuid()})" in daemon.errors()


def test_the_signal_still_switches_tracing(daemon):
    def after_signal():
        before = daemon.errors().count("tracing is")
        daemon.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: daemon.errors().count("tracing is") > before, "a word about tracing")
        return ask(daemon, "trace").stdout

    assert after_signal() == "all\n" and after_signal() == "none\n"
    ask(daemon, "trace", "record")
    assert after_signal() == "none\n"


def test_log_level(daemon):
    def said_at_reload():
        before = len(daemon.errors())
        daemon.reload()
        return f"{daemon.policy_path}: loaded" in daemon.errors()[before:]

    assert ask(daemon, "loglevel").stdout == "info\n"
    ask(daemon, "loglevel", "error")
    assert "log level from now on: error" in daemon.errors()  # whoever reads on knows why so little comes
    assert ask(daemon, "loglevel", "warning").stdout == "warning\n"
    assert not said_at_reload()
    assert status(daemon)["log"]["level"] == "warning"
    assert ask(daemon, "loglevel", "notice").stdout == "notice\n"
    assert said_at_reload()
    wrong = ask(daemon, "loglevel", "loud", check=False)
    assert wrong.returncode == 1 and "known: error, warning, notice, info" in wrong.stderr
    assert ask(daemon, "loglevel", "info", "x", check=False).returncode == 2


def test_who_may(daemon, folder):
    """Who may connect may ask; to change something is for root and the daemon's own user."""
    os.chmod(folder, 0o755)
    own = shutil.copy(program("replyctl"), f"{folder}/replyctl")
    os.chmod(daemon.top, 0o755)
    assert stat.S_IMODE(os.stat(daemon.control).st_mode) == 0o660
    refused = as_nobody(own, "status", "-c", daemon.policy_path)
    assert refused.returncode == 1
    assert "permission denied" in refused.stderr and "its group is root" in refused.stderr
    os.chmod(daemon.control, 0o666)
    asked = as_nobody(own, "status", "--json", "-s", daemon.control)
    assert json.loads(asked.stdout)["pid"] == daemon.process.pid
    assert as_nobody(own, "trace", "-s", f"unix:{daemon.control}").stdout == "none\n"
    for words in (["trace", "all"], ["loglevel", "error"]):
        changed = as_nobody(own, *words, "-s", daemon.control)
        assert changed.returncode == 1
        assert "only root and the daemon's own user" in changed.stderr
    assert status(daemon)["log"] == {"level": "info", "trace": "none"}


def test_without_a_daemon_or_a_door(daemon, make_daemon):
    daemon.write_policy("")
    unset = ask(daemon, "status", check=False)
    assert unset.returncode == 1 and 'does not set "control.socket"' in unset.stderr
    daemon.write_policy(control(daemon))
    daemon.kill()
    dead = ask(daemon, "status", check=False)
    assert dead.returncode == 1 and f"nobody listens on {daemon.control}" in dead.stderr
    os.unlink(daemon.control)
    gone = ask(daemon, "trace", "all", check=False)
    assert gone.returncode == 1 and "the daemon does not run" in gone.stderr
    assert ask(daemon, "status", "now", check=False).returncode == 2


def test_mail_is_served_though_the_door_cannot_be_opened(make_daemon):
    daemon = make_daemon('control = { socket = "unix:/nowhere/replymilter/control"; };')
    daemon.start()
    assert "warning: the control door stays shut: " in daemon.errors()
    with socketmap.Client(daemon.tables) as client:
        assert client.ask("reject", "550 5.1.1 <x@y.test>: User unknown")[0] == "OK"


def test_the_door_as_the_service_manager_hands_it_over(make_daemon):
    daemon = make_daemon("")
    path = os.path.join(daemon.top, "handed")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(5)
        daemon.handed_over = [listening.fileno()]
        daemon.wrapper = ["env", "LISTEN_FDNAMES=control"]
        daemon.start()
    told = json.loads(replyctl("status", "--json", "-s", path).stdout)
    assert told["doors"]["control"]["socket"] == f"unix:{path}"
    daemon.stop()
    assert os.path.exists(path)  # it is not ours to remove


def connect(daemon):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(slow(20))
    client.connect(daemon.control)
    return client


@pytest.mark.parametrize(
    "octets",
    [b"GET / HTTP/1.1\r\n\r\n", b"9999999:status ", b"7:status ;", b"\x00\xff" * 4000, b"5000:" + b"x" * 5000],
    ids=["http", "too long", "no comma", "octets", "oversized"],
)
def test_garbage_is_hung_up_on(daemon, octets):
    with connect(daemon) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(octets)
            assert client.recv(100) == b""
    assert status(daemon)["state"] == "running"


def test_hundreds_of_hung_clients_disturb_nobody(daemon):
    clients = []
    with contextlib.ExitStack() as stack:
        for number in range(300):
            clients.append(stack.enter_context(connect(daemon)))
            clients[-1].sendall([b"", b"7:sta", b"7:status ,"][number % 3])
            if number % 50 == 0:
                began = time.monotonic()
                with milter.Milter(daemon.socket) as session, socketmap.Client(daemon.tables) as client:
                    session.negotiate()
                    assert client.ask("reject", "550 5.1.1 <x@y.test>: User unknown")[0] == "OK"
                assert status(daemon)["pid"] == daemon.process.pid
                assert time.monotonic() - began < slow(3)
        left = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        assert left < 60, f"{left} descriptors"
    began = time.monotonic()
    with connect(daemon):
        daemon.stop()
    assert time.monotonic() - began < slow(3)


def test_many_at_once_while_it_reloads(daemon):
    """Every client gets its answer; under ThreadSanitizer, no data race."""
    guard_errors = len(daemon.errors())
    commands = [["status", "--json"], ["trace", "all"], ["trace", "none"], ["loglevel", "info"]]
    running = []
    for number in range(24):
        command = commands[number % len(commands)]
        running.append(
            subprocess.Popen(
                [program("replyctl"), command[0], "-s", daemon.control, *command[1:]],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        if number % 8 == 7:
            daemon.reload()
            with socketmap.Client(daemon.tables) as client:
                client.ask("reject", "550 5.1.1 <x@y.test>: User unknown")
    for process in running:
        _, said = process.communicate(timeout=slow(30))
        assert process.returncode == 0, said
    assert "error" not in daemon.errors()[guard_errors:]
