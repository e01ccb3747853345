"""replyctl sendmail: which lines for which policy. A real Sendmail takes them in the end-to-end tests."""

import os
import socket

from support import Case, run


class TestSendmail(Case):
    def lines(self, policy, *words):
        self.policy.write_text(policy)
        done = run("sendmail", "-c", self.policy, *words)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return [line for line in done.stdout.decode().splitlines() if not line.startswith("dnl ")], done.stderr.decode()

    def milter(self, policy):
        lines, notes = self.lines(policy)
        self.assertEqual((len(lines), notes), (1, ""))
        return lines[0]

    def test_sockets(self):
        for name, named in (("unix:/q/m.sock", "local:/q/m.sock"), ("local:/q/m.sock", "local:/q/m.sock"),
                              ("inet:8891", "inet:8891@127.0.0.1"), ("inet6:8891", "inet6:8891@::1"),
                              ("inet:8891@192.0.2.1", "inet:8891@192.0.2.1")):
            self.assertEqual(self.milter(f'milter = {{ socket = "{name}"; }};\n'),
                             f"INPUT_MAIL_FILTER(`replymilter', `S={named}, F=, T=C:10s;S:10s;R:30s;E:60s')dnl")

    def test_the_link_is_named_where_the_socket_is(self):
        """With a link Sendmail does not start; where there is no Postfix, systemd has the socket where the link would be."""
        def named():
            lines, _ = self.lines(f'milter = {{ socket = "unix:{self.folder}/run/m.sock"; link = "{self.folder}/l.sock"; }};\n')
            return lines[0].split("local:")[1].split(",")[0].removeprefix(f"{self.folder}/")

        self.assertEqual(named(), "l.sock")
        (self.folder / "run").mkdir()
        self.assertEqual(named(), "run/m.sock")
        os.symlink("run/m.sock", self.folder / "l.sock")
        self.assertEqual(named(), "run/m.sock")
        (self.folder / "l.sock").unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "l.sock"))
            self.assertEqual(named(), "l.sock")

    def test_filters_behind_us(self):
        line = self.milter('milter = { socket = "unix:/q/m.sock"; };\n'
                           'filters = ( { name = "a"; socket = "unix:/a"; timeout = 20.5; connect_timeout = 2.0; },\n'
                           '{ name = "b"; socket = "unix:/b"; timeout = 5.0; connect_timeout = 1.0; } );\n')
        self.assertIn("F=T, T=C:10s;S:10s;R:59s;E:89s", line)

    def test_rule_set(self):
        lines, _ = self.lines('milter = { socket = "unix:/q/m.sock"; };\ntables = { socket = "unix:/q/t.sock"; };\n', "--ruleset")
        self.assertIn("Ksendmail socket -f -o local:/q/t.sock", lines)
        rules = [line for line in lines if line.startswith("R")]
        self.assertEqual([line for line in rules if "\t" not in line], [])
        self.assertGreater(len(rules), 5)

    def test_what_sendmail_does_not_trust(self):
        os.symlink("nowhere", self.folder / "link")
        (self.folder / "wide").mkdir(mode=0o700)
        os.chmod(self.folder / "wide", 0o770)
        for path, reason in (("link", f"{self.folder}/link is a symbolic link"), ("wide/sock", f"{self.folder}/wide is writable by its group")):
            _, notes = self.lines(f'milter = {{ socket = "unix:{self.folder}/{path}"; }};\n')
            self.assertIn(f"{reason}: Sendmail would not start", notes)
        _, notes = self.lines(f'milter = {{ socket = "unix:/q/m.sock"; }};\ntables = {{ socket = "unix:{self.folder}/link"; }};\n', "-r")
        self.assertIn("link is a symbolic link: Sendmail would not ask it", notes)
        self.assertNotIn("would not start", notes)

    def test_faults(self):
        self.assertIn("what is", self.fault(2, "sendmail", "x"))
        self.policy.write_text('milter = { socket = "fd:3"; };\n')
        self.assertIn("no milter.socket", self.fault(1, "sendmail", "-c", self.policy))
