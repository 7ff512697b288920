"""TLS of the status endpoint: the certificate that it shows."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from placed.domain.exit_errors import CannotStart
from placed.settings.certificate_files import load_chain

if TYPE_CHECKING:
    from placed.settings.schema import Http


def server_context(settings: Http) -> ssl.SSLContext | None:
    """What every connection begins with, or None if it is not to be TLS.

    TLS 1.2 with forward secrecy, as Python chooses its ciphers, or 1.3. A client can not have the keys of a
    connection negotiated again, which costs us far more than it.

    Raises:
        CannotStart: certificate or key are of no use; with all that is wrong.
    """
    if settings.certificate is None:
        if settings.key is not None:
            raise CannotStart("http.key: a key without its certificate is of no use; set http.certificate")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    problems: list[str] = []
    load_chain(context, "http", settings.certificate, settings.key, problems)
    if problems:
        raise CannotStart(*problems)
    return context
