"""A server of SMTP that demands STARTTLS and a password. Prints a line of JSON for its port, and one for each message."""

import email
import json
import os
import ssl
import sys
import threading
from email import policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = b"logodds", os.environ["SMTP_PASSWORD"].encode()


class Handler:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        print(
            json.dumps(
                {
                    "from": envelope.mail_from,
                    "to": envelope.rcpt_tos,
                    "tls": session.ssl is not None,
                    "user": session.auth_data.login.decode() if session.auth_data else None,
                    "subject": message["subject"],
                    "thread": message["in-reply-to"],
                    "automatic": message["auto-submitted"],
                    "text": message.get_content(),
                }
            ),
            flush=True,
        )
        return "250 taken"


def check(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == USER and data.password == PASSWORD, auth_data=data)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
controller = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=int(sys.argv[3]),
    tls_context=context,
    require_starttls=True,
    auth_required=True,
    authenticator=check,
)
controller.start()
print(json.dumps({"port": controller.server.sockets[0].getsockname()[1]}), flush=True)
threading.Event().wait()
