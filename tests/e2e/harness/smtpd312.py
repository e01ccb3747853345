"""Plays what smtpd of Postfix 3.12 does with a refusal on its way to the client.

Debian 12 has Postfix 3.7, which knows the `footer` hook only. From 3.11 on a refusal passes two tables:

 1. smtpd_reject_filter_maps: the key is the whole reply as it would be sent, lines joined by CRLF, no CRLF at its end.
    The result is the new reply, taken literally, CR LF within. It is ignored (with a warning) unless it begins with 4 or
    5 and its enhanced status, if it has one, has the same first digit; only the first line is looked at.
 2. smtpd_reject_footer_maps: the key is the reply after the first step. The result is a template that is appended:
    each `\\n` begins a new line with the code and enhanced status of the reply's last line; a leading `\\c` goes on in
    that last line; `$name`, `${name}`, `${name?text}` and `${name:text}` are expanded, `$$` is a dollar.

A failing table changes nothing but the log.
"""

import re

from .socketmap import Client

_STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?= |$)")
_KNOWN = (
    "client client_address client_name client_port helo_name sender sender_name sender_domain server_name localtime "
    "reverse_client_name recipient recipient_name recipient_domain"
).split()


class Smtpd312:
    """An smtpd's two tables. `attributes`: what a session knows, by the names of Postfix's template variables."""

    def __init__(self, address, reject="reject", footer="footer", attributes=None):
        self.address = address
        self.reject = reject
        self.footer = footer
        self.attributes = {"server_name": "mx.test", "client_address": "192.0.2.1"} | (
            attributes or {}
        )
        self.warnings = []
        self.queries = []

    def send(self, reply):
        """What the client gets in place of `reply` (str, lines joined by CRLF, no CRLF at the end)."""
        if reply[0] not in "45":
            return reply
        if self.reject:
            reply = self._filtered(reply)
        if self.footer:
            reply = self._with_footer(reply)
        return reply

    def _look_up(self, table, key):
        self.queries.append((table, key))
        try:
            with Client(self.address) as client:
                status, text = client.ask(table, key.encode("utf-8", "surrogateescape"))
        except (OSError, ValueError) as error:
            self.warnings.append(f"{table} lookup error for {key!r}: {error}")
            return None
        if status == "NOTFOUND":
            return None
        if status != "OK":
            self.warnings.append(f"{table}: socketmap server error {status}: {text!r}")
            return None
        if not text:
            self.warnings.append(f"{table} returns an empty string result")
            return None
        return text.decode("utf-8", "surrogateescape")

    def _filtered(self, reply):
        result = self._look_up(self.reject, reply)
        if result is None:
            return reply
        status = _STATUS.match(result[4:])
        if not re.match(r"[45]\d\d[ -]", result) or (status and status.group(1) != result[0]):
            self.warnings.append(f"ignoring invalid reject filter result: {result!r}")
            return reply
        return result

    def _with_footer(self, reply):
        template = self._look_up(self.footer, reply)
        if template is None:
            return reply
        lines = reply.split("\r\n")
        status = _STATUS.match(lines[-1][4:])
        code, status = lines[-1][:3], status.group() + " " if status else ""
        for number, text in enumerate(template.split("\\n")):
            if number == 0 and text.startswith("\\c"):
                lines[-1] += self.expand(text[2:])
            else:
                lines.append(f"{code} {status}{self.expand(text)}")
        return "\r\n".join([line[:3] + "-" + line[4:] for line in lines[:-1]] + lines[-1:])

    def expand(self, template):
        """Postfix's mac_expand() as far as a footer can use it."""
        if re.search(r"\$\{[^}]*$", template):
            self.warnings.append(f"truncated macro reference: {template!r}")
            return ""

        def value(match):
            if match.group() == "$$":
                return "$"
            name, condition, text = (
                match.group("plain") or match.group("name"),
                match.group("if"),
                match.group("text"),
            )
            if name not in _KNOWN:
                self.warnings.append(f'unknown macro name "{name}" in expansion request')
            found = "" if name.startswith("recipient") else self.attributes.get(name, "")
            if condition == "?":
                return self.expand(text) if found else ""
            if condition == ":":
                return found or self.expand(text)
            return found

        return re.sub(
            r"\$\$|\$\(?(?P<plain>\w+)\)?|\$\{(?P<name>\w+)(?:(?P<if>[?:])(?P<text>[^}]*))?\}",
            value,
            template,
        )
