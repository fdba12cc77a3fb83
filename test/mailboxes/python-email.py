"""Reads mails as base 64, one a line; writes what Python's email package makes of each, one JSON document a line."""
import base64
import email
import email.header
import email.policy
import email.utils
import json
import sys


def name_of(octets, field):
    """The display name. Not by the newer policy: Python 3.11's keeps the blank between two encoded words of a phrase (RFC 2047 6.2 drops it)."""
    phrase, _ = email.utils.parseaddr(email.message_from_bytes(octets)[field])
    return str(email.header.make_header(email.header.decode_header(phrase)))


for line in sys.stdin:
    octets = base64.b64decode(line)
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    print(
        json.dumps(
            {
                "from": name_of(octets, "From"),
                "to": name_of(octets, "To"),
                "subject": mail["Subject"],
                "text": text.get_content() if text else None,
                "html": html.get_content() if html else None,
                "attachments": [part.get_filename() for part in mail.iter_attachments()],
                "defects": [type(defect).__name__ for part in mail.walk() for defect in part.defects],
            }
        )
    )
