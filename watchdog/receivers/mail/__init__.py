"""E-mail: messages as plain text and HTML, sent through an SMTP server."""
