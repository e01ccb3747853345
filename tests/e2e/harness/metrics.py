"""The daemon's metrics as Prometheus fetches them, and promtool, as scripts/install-deps unpacked it."""

import os
import re
import subprocess
import urllib.request

from .net import slow
from .postfix import default_cache

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


class Metrics:
    """A text in Prometheus's format, read. `text`; `families`: each one's type by its name; fails on a line that is no sample."""

    def __init__(self, text):
        self.text = text
        self.families = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", text))
        self.samples = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            found = _SAMPLE.match(line)
            assert found, line
            key = (found[1], frozenset(_LABEL.findall(found[2] or "")))
            assert key not in self.samples, f"twice: {line}"
            self.samples[key] = float(found[3])

    def get(self, name, **labels):
        """The sum of the samples of that name that have these labels. Names are without their prefix."""
        wanted = set(labels.items())
        name = name if name.startswith("process_") else "replymilter_" + name
        return sum(
            value for (own, has), value in self.samples.items() if own == name and wanted <= has
        )

    def by(self, name, *labels):
        """What is not 0, by the values of these labels."""
        found = {}
        for (own, has), value in self.samples.items():
            if own == "replymilter_" + name and value:
                key = tuple(dict(has)[label] for label in labels)
                found[key] = found.get(key, 0) + value
        return found


def fetch(port, path="/metrics", method="GET", host="127.0.0.1"):
    """An HTTP answer: status, headers, octets. No proxy is asked."""
    request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=slow(10)) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def scrape(port):
    status, headers, octets = fetch(port)
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return Metrics(octets.decode())


def promtool(*arguments, **options):
    """Runs it to its end; fails with what it says unless it is content."""
    tool = os.path.join(default_cache(), "prometheus/usr/bin/promtool")
    result = subprocess.run(
        [tool, *arguments], capture_output=True, text=True, timeout=slow(60), **options
    )
    assert result.returncode == 0 and not result.stderr, result.stdout + result.stderr
    return result.stdout
