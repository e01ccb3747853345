"""What the end-to-end tests and the demo stand on: a private Postfix, an SMTP client, the daemon, and stand-ins for others."""
