"""Where the packages and the folder come from: scripts/test-package makes both and sets

 - REPLYMILTER_DEB    the package
 - REPLYMILTER_BASE   a folder with Debian, into which what is to be installed was fetched

The tests of a module are one story on one host and run in their order; after one that failed the others fail at once.
Those marked `systemd` are left out, and named at the end, where systemd cannot run in the folder.
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from folder import Folder  # noqa: E402

_left_out = []
_broken = {}  # a module: its first test that failed


def pytest_configure(config):
    config.addinivalue_line("markers", "systemd: needs systemd to run in the folder")


@pytest.fixture(scope="module")
def host():
    folder = Folder(os.environ["REPLYMILTER_BASE"])
    folder.put(os.environ["REPLYMILTER_DEB"], "/root/replymilter.deb")
    yield folder
    folder.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        _broken.setdefault(item.module, item.name)


@pytest.fixture(autouse=True)
def _the_story_goes_on(request):
    if request.module in _broken:
        pytest.fail(f"not tried, since {_broken[request.module]} failed", pytrace=False)


@pytest.fixture(autouse=True)
def _only_with_systemd(request):
    if (
        request.node.get_closest_marker("systemd")
        and not request.getfixturevalue("host").with_systemd
    ):
        _left_out.append(request.node.nodeid)
        pytest.skip("systemd does not run in the folder")


def pytest_terminal_summary(terminalreporter):
    for name in _left_out:
        terminalreporter.line(f"left out, since systemd does not run in the folder: {name}")
