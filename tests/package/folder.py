"""A Debian in a folder, as a host to install packages on.

With systemd as its first process where the kernel lets it run there; without it, start_units() starts the daemon as its
units say.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

_HERE = pathlib.Path(__file__).parent
_DIALOGUE = """
import smtplib, sys
port, *lines = sys.argv[1:]
client = smtplib.SMTP("127.0.0.1", int(port), timeout=30)
for line in lines:
    code, text = client.docmd(line)
    if code >= 400:
        break
print("\\n".join(f"{code} {part}" for part in text.decode().split("\\n")))
client.close()
"""


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert (
            time.monotonic() < end
        ), f"waited {seconds} s for {what() if callable(what) else what}"
        time.sleep(0.1)
    return result


def _cgroup2():
    """Where control groups (version 2) are, or None."""
    for line in pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return pathlib.Path(place)
    return None


class Folder:
    """close() ends all that runs in it and removes what was written."""

    def __init__(self, base):
        self.over = tempfile.mkdtemp(prefix="replymilter-host.")
        self.group = None
        self.with_systemd = False
        self.process = None
        if _cgroup2() and not os.environ.get("REPLYMILTER_TEST_NO_SYSTEMD"):
            self._start(base, "systemd")
            self.with_systemd = self._is_booted()
            if not self.with_systemd:
                self._end()
        if not self.with_systemd:
            self._start(base, "plain")
            wait_for(self._is_entered, "the folder")

    def _start(self, base, mode):
        def join():
            if mode == "systemd":
                (self.group / "cgroup.procs").write_text("0")

        if mode == "systemd":
            self.group = _cgroup2() / f"replymilter-test-{os.getpid()}-{time.monotonic_ns()}"
            try:
                self.group.mkdir()
            except OSError:
                self.group = None
                return
        self.process = subprocess.Popen(
            [_HERE / "enter", base, self.over, mode],
            preexec_fn=join,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(f"{self.over}/said", "ab"),
            start_new_session=True,
        )

    def _is_booted(self):
        def state():
            if self.process is None or self.process.poll() is not None:
                return "gone"
            if not self._is_entered():
                return None
            said = self.run("systemctl is-system-running").stdout.strip()
            return said if said in ("running", "degraded") else None

        try:
            return wait_for(state, "systemd", 30) != "gone"
        except AssertionError:
            return False

    def _first(self):
        """The number of its first process as we see it."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        found = pathlib.Path(children).read_text(encoding="ascii").split()
        return found[0] if found else None

    def _is_entered(self):
        """Whether what is done to its first process is done in the folder: before, that one is still on this host."""
        first = self._first()
        return first is not None and os.path.exists(f"/proc/{first}/root/.folder")

    def run(self, command, check=False, **options):
        """A shell command on that host. Returns what subprocess.run() does, both outputs in stdout."""
        assert self._is_entered()
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "HOME": "/root",
        }
        argv = [
            "nsenter",
            "-t",
            self._first(),
            "-m",
            "-p",
            "-u",
            "-i",
            "-n",
            "-r",
            "-w",
            "sh",
            "-c",
            command,
        ]
        done = subprocess.run(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=300,
            check=False,
            start_new_session=True,
            **options,
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done

    def say(self, command):
        """What a command that succeeds prints."""
        return self.run(command, check=True).stdout.strip()

    def smtp(self, *lines, port=25):
        """The answer to the last of these lines of an SMTP session, or to the first that is refused."""
        argv = [
            "nsenter",
            "-t",
            self._first(),
            "-n",
            "/usr/bin/python3",
            "-c",
            _DIALOGUE,
            str(port),
            *lines,
        ]
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False
        )
        return done.stdout.strip()

    def path(self, name):
        assert self._is_entered()
        return pathlib.Path(f"/proc/{self._first()}/root{name}")

    def write(self, name, text):
        self.path(name).write_text(text, encoding="utf-8")

    def read(self, name):
        return self.path(name).read_text(encoding="utf-8")

    def put(self, file, name):
        shutil.copy(file, self.path(name))

    def install(self, *packages, options=""):
        """apt-get install, from what lies in the folder."""
        return self.run(
            f"apt-get -y --no-install-recommends {options} install {' '.join(packages)}", check=True
        ).stdout

    def start_units(self):
        """What systemd does by the units of the package, where there is none: sockets, links, the daemon that gets them."""
        sockets = []
        for unit in ("replymilter.socket", "replymilter-tables.socket"):
            text = self.read(f"/lib/systemd/system/{unit}")
            sockets.append(dict(re.findall(r"^(\w+)=(.*)$", text, re.M)))
        service = re.findall(
            r"^(\w+)=(.*)$", self.read("/lib/systemd/system/replymilter.service"), re.M
        )
        value = dict(service)
        steps = ["umask 0027"]
        for folder, mode in (("LogsDirectory", "log"), ("RuntimeDirectory", "run")):
            place = {"log": "/var/log/", "run": "/run/"}[mode] + value[folder]
            steps.append(
                f"install -d -o {value['User']} -g {value['Group']} -m {value[folder + 'Mode']} {place}"
            )
        steps.append(
            f"setpriv --reuid={value['User']} --regid={value['Group']} --init-groups {value['ExecStartPre']}"
        )
        listen = " ".join(f"-l {socket['ListenStream']}" for socket in sockets)
        names = ":".join(socket["FileDescriptorName"] for socket in sockets)
        for socket in sockets:
            steps.append(
                f"mkdir -p -m {socket['DirectoryMode']} {os.path.dirname(socket['ListenStream'])}"
            )
            steps.append(f"ln -sfn {socket['ListenStream']} {socket['Symlinks']}")
        self.say(" && ".join(steps))
        self.say(
            f"setsid systemd-socket-activate {listen} --fdname={names} -- setpriv --reuid={value['User']} "
            f"--regid={value['Group']} --init-groups sh -c 'umask 0027; exec {value['ExecStart']}' >/dev/null 2>&1 &"
        )
        for socket in sockets:
            path = socket["ListenStream"]
            wait_for(lambda path=path: self.path(path).is_socket(), path)
            self.say(
                f"chown {socket['SocketUser']}:{socket['SocketGroup']} {path} && chmod {socket['SocketMode']} {path}"
            )

    def _end(self):
        if self.process is not None:
            if (first := self._first()) is not None:
                os.kill(int(first), signal.SIGKILL)
            self.process.wait(20)
            self.process = None
        if self.group is not None:
            wait_for(self._remove_group, "the control group to be empty")
            self.group = None
        for part in pathlib.Path(self.over).iterdir():
            if part.name != "said":
                shutil.rmtree(part)

    def _remove_group(self):
        for folder, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True

    def close(self):
        self._end()
        shutil.rmtree(self.over)
