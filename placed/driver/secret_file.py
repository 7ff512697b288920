"""Files that hold secrets: read only where not everybody on this machine could have done so, too."""

from __future__ import annotations

import os
import stat
from pathlib import Path

CREDENTIALS = "CREDENTIALS_DIRECTORY"  # names systemd's folder of credentials to a service
_OTHERS = stat.S_IROTH | stat.S_IWOTH
_PRIVATE_KEY = b"PRIVATE KEY-----"  # every PEM label of one ends so: RFC 7468, and OpenSSL's older ones


class Exposed(Exception):
    """Everybody on this machine can read a secret, or put another in its place.

    Its text is one line without the path, which ends with the remedy: `can be ...; chmod o-rwx PATH, ...`.
    """


def read_secret(path: Path) -> bytes:
    """The content of a file with a password, a token or a private key.

    Raises:
        Exposed: others than its owner and its group can read or change it.
        OSError: it can not be read.
    """
    content, exposed = _read(path)
    if exposed is not None:
        raise exposed
    return content


def read_certificate(path: Path) -> bytes:
    """The content of a PEM file, which is a secret only where it holds a private key, too.

    Raises:
        Exposed: it holds a private key, and others than its owner and its group can read or change it.
        OSError: it can not be read.
    """
    content, exposed = _read(path)
    if exposed is not None and _PRIVATE_KEY in content:
        raise exposed
    return content


def exposure(path: Path, mode: int) -> str | None:
    """What everybody can do with a file of this mode: `read`, `changed`; None if nothing, or it is no file.

    A pipe or a device, as `/dev/fd/5` may be, is nobody else's to open, whatever its mode says. Nor is what
    systemd keeps in $CREDENTIALS_DIRECTORY: systemd.exec(5), LoadCredential=.
    """
    if not stat.S_ISREG(mode) or not mode & _OTHERS or kept_by_systemd(path):
        return None
    return "changed" if mode & stat.S_IWOTH else "read"


def kept_by_systemd(path: Path) -> bool:
    """Whether it is one of the credentials that systemd handed to this process."""
    folder = os.environ.get(CREDENTIALS)
    return bool(folder) and Path(folder or "") in path.parents


def _read(path: Path) -> tuple[bytes, Exposed | None]:
    # The mode is that of what is read, where a link leads to, even if another is put there at this moment.
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        content = file.read()
    doing = exposure(path, mode)
    if doing is None:
        return content, None
    return content, Exposed(
        f"can be {doing} by every user of this machine (mode {stat.S_IMODE(mode):04o}); "
        f"chmod o-rwx {path}, or hand it over by LoadCredential (systemd/README.md)"
    )
