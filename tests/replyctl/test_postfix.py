"""replyctl postfix: what is planned for which Postfix. The real one is set up by the end-to-end tests."""

import os

from support import Case, run

POSTCONF = """#!/bin/sh
# Tells of a Postfix as the test wants it.
[ "$1" = -c ] && shift 2
case $1 in
-M) printf '%s\\n' "$SERVICES" ;;
-P) printf '%s\\n' "$OVERRIDES" ;;
*) printf '%s\\n' "$SETTINGS" ;;
esac
"""
SOCKETS = """
milter = { socket = "unix:/q/run/m.sock"; link = "/run/m.sock"; };
tables = { socket = "unix:/q/run/t.sock"; link = "/run/t.sock"; };
"""


class TestPostfix(Case):
    def setUp(self):
        super().setUp()
        self.policy.write_text(SOCKETS)
        fake = self.folder / "postconf"
        fake.write_text(POSTCONF)
        fake.chmod(0o755)
        self.settings = {"mail_version": "3.7.11", "queue_directory": "/q", "config_directory": "/e", "mail_owner": "nobody-like-this",
                         "compatibility_level": "3.6"}
        self.services, self.overrides = "smtp inet n - y - - smtpd", ""

    def plan(self, *words, **settings):
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}", "SERVICES": self.services, "OVERRIDES": self.overrides,
            "SETTINGS": "\n".join(f"{name} = {value}" for name, value in (self.settings | settings).items()),
        }
        done = run("postfix", "-c", self.policy, *words, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        commands = [line for line in done.stdout.decode().splitlines() if line.startswith("postconf")]
        return commands, done.stderr.decode()

    def test_each_version(self):
        milter = "postconf -e 'smtpd_milters = { unix:/run/m.sock, default_action=accept }'"
        delivery = "postconf -e 'default_delivery_status_filter = socketmap:unix:/run/t.sock:delivery'"
        footer = "postconf -e 'smtpd_reject_footer_maps = socketmap:unix:/run/t.sock:footer'"
        reject = "postconf -e 'smtpd_reject_filter_maps = socketmap:unix:/run/t.sock:reject'"
        for version, tables in (("3.4.0", [footer, delivery]), ("3.10.2", [footer, delivery]), ("3.11.7", [reject, delivery]),
                                ("3.12-20260821", [reject, delivery]), ("4.0", [reject, delivery])):
            self.assertEqual(self.plan(mail_version=version), ([milter, *tables], ""), version)
        commands, notes = self.plan(mail_version="3.3.1")
        self.assertEqual(commands, [milter, delivery])
        self.assertIn("came in 3.4", notes)
        self.assertEqual(self.plan("--milter-only")[0], [milter])

    def test_what_is_there_stays(self):
        commands, notes = self.plan(smtpd_milters="inet:localhost:8891, { unix:/o.sock, connect_timeout = 5s }, $more",
                                    smtpd_reject_footer_maps="pcre:/e/footers", default_delivery_status_filter="pcre:/e/dsn")
        self.assertEqual(commands, [
            "postconf -e 'smtpd_milters = inet:localhost:8891, { unix:/o.sock, connect_timeout = 5s }, $more, "
            "{ unix:/run/m.sock, default_action=accept }'",
            "postconf -e 'smtpd_reject_footer_maps = pcre:/e/footers, socketmap:unix:/run/t.sock:footer'",
        ])
        self.assertIn("takes one table only", notes)

    def test_ours_is_known_by_each_of_its_names(self):
        for name in ("unix:/run/m.sock", "unix:/q/run/m.sock", "unix:run/m.sock", "{ unix:/run/m.sock, default_action=tempfail }",
                     "{unix:/run/m.sock}"):
            self.assertEqual(self.plan("--milter-only", smtpd_milters=name)[0], [], name)
        self.assertEqual(len(self.plan("--milter-only", smtpd_milters="unix:/run/m.sock2")[0]), 1)
        self.assertEqual(self.plan(smtpd_milters="unix:/run/m.sock", smtpd_reject_footer_maps="proxy:socketmap:unix:/run/t.sock:footer",
                                   default_delivery_status_filter="socketmap:unix:/run/t.sock:delivery")[0], [])

    def test_filters_behind_us(self):
        self.policy.write_text(SOCKETS + 'filters = ( { name = "dkim"; socket = "inet:8891@localhost"; } );\n')
        commands, _ = self.plan("--milter-only", smtpd_milters="inet:localhost:8891, unix:/o.sock")
        self.assertEqual(commands, ["postconf -e 'smtpd_milters = unix:/o.sock, { unix:/run/m.sock, default_action=tempfail }'"])

    def test_mail_must_not_pass_by_filters(self):
        """Ours was there before the filters: then it had "accept"."""
        self.policy.write_text(SOCKETS + 'filters = ( { name = "dkim"; socket = "inet:8891@localhost"; } );\n')
        wanted = "{ unix:/run/m.sock, default_action=tempfail }"
        commands, _ = self.plan("-m", smtpd_milters="{ unix:run/m.sock, default_action=accept }, inet:localhost:8891, unix:/o.sock")
        self.assertEqual(commands, [f"postconf -e 'smtpd_milters = {wanted}, unix:/o.sock'"])
        for action, changes in (("accept", 1), ("tempfail", 0)):
            self.assertEqual(len(self.plan("-m", smtpd_milters="unix:/run/m.sock", milter_default_action=action)[0]), changes, action)
        self.assertEqual(self.plan("-m", smtpd_milters=wanted, milter_default_action="accept")[0], [])
        accept = "{ unix:/run/m.sock, default_action=accept }"
        commands, notes = self.plan("-m", "-b", smtpd_milters=wanted, non_smtpd_milters=accept, internal_mail_filter_classes="bounce")
        self.assertEqual(commands, [], "a bounce must be made")
        self.assertIn("handed in on this host passes by the filters", notes)
        self.assertIn("no bounce can be made", self.plan("-m", "-b", smtpd_milters=wanted, non_smtpd_milters="$smtpd_milters")[1])

    def test_filters_that_undo_does_not_bring_back(self):
        self.policy.write_text(SOCKETS + 'filters = ( { name = "dkim"; socket = "inet:8891@localhost"; } );\n')
        for name in ("main.cf", "master.cf"):
            (self.folder / name).write_text("")
        for milters, note in (("unix:/o.sock", True), ("unix:/o.sock, inet:localhost:8891", False)):
            notes = self.plan("--undo", smtpd_milters=milters, config_directory=str(self.folder))[1]
            self.assertEqual("put them back" in notes, note, notes)

    def test_the_folder_that_was_named(self):
        """The postconf of 3.11 names the usual one, whatever it is asked about."""
        for name in ("main.cf", "master.cf"):
            (self.folder / name).write_text("")
        self.plan("--postfix", str(self.folder), "--undo", config_directory="/nonexistent")

    def test_a_table_that_answers_everything(self):
        self.assertIn("never asked", self.plan(smtpd_reject_footer_maps="static:{call us}")[1])
        self.assertEqual(self.plan(smtpd_reject_footer_maps="socketmap:unix:/run/t.sock:footer, static:{call us}")[1], "")

    def test_services(self):
        self.services += "\nsubmission inet n - n - - smtpd\n10025 inet n - n - - smtpd\ncleanup unix n - y - 0 cleanup"
        self.overrides = "submission/inet/smtpd_milters = inet:localhost:8891\n10025/inet/smtpd_milters ="
        commands, notes = self.plan("--milter-only", smtpd_milters="unix:/run/m.sock")
        self.assertEqual(commands, ["postconf -P 'submission/inet/smtpd_milters=inet:localhost:8891,"
                                    "{unix:/run/m.sock,default_action=accept}'"])
        self.assertIn("10025/inet has an smtpd_milters of its own that is empty", notes)

        self.overrides = "submission/inet/smtpd_milters = { inet:localhost:8891, default_action=accept }"
        commands, notes = self.plan("--milter-only", smtpd_milters="unix:/run/m.sock")
        self.assertEqual(commands, [])
        self.assertIn("add { unix:/run/m.sock, default_action=accept } to it in master.cf", notes)

    def test_chroot(self):
        self.policy.write_text('milter = { socket = "unix:/run/m.sock"; };\n')
        self.assertIn("smtp/inet runs in the chroot /q and would not find /run/m.sock", self.plan()[1])
        self.services = "smtp inet n - - - - smtpd"
        self.assertEqual(self.plan()[1], "")
        self.assertIn("runs in the chroot", self.plan(compatibility_level="0")[1])

    def test_own_bounces(self):
        settings = {"smtpd_milters": "unix:/run/m.sock"}
        self.assertEqual(self.plan("-m", "--own-bounces", **settings)[0], [
            "postconf -e 'non_smtpd_milters = { unix:/run/m.sock, default_action=accept }'",
            "postconf -e 'internal_mail_filter_classes = bounce'",
        ])
        self.assertEqual(self.plan("-m", "--own-bounces", non_smtpd_milters="$smtpd_milters", internal_mail_filter_classes="notify, bounce",
                                   **settings)[0], [])

    def test_faults(self):
        self.assertIn("one of", self.fault(2, "postfix", "--apply", "--verify"))
        self.assertIn("--verify", self.fault(2, "postfix", "--server", "x"))
        self.assertIn("what is", self.fault(2, "postfix", "x"))
        missing = run("postfix", "-c", self.policy, env={"PATH": str(self.folder / "none")})
        self.assertEqual(missing.returncode, 1)
        self.assertIn("postconf", missing.stderr.decode())
