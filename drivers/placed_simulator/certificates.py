"""The certificate of a simulated service, from a private authority."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SERVER_NAMES = ("localhost", "127.0.0.1", "::1")


def server_context(ca_file: Path) -> ssl.SSLContext:
    """TLS for a server on this machine; the authority's certificate is written to `ca_file`.

    Raises:
        ModuleNotFoundError: the packages of the extra `demo` are not installed.
    """
    import trustme  # noqa: PLC0415 - of the extra `demo`; the rest of the simulator does without

    authority = trustme.CA(organization_name="placed simulated tenant")
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*SERVER_NAMES).configure_cert(context)
    return context
