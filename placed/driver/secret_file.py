"""Files that hold secrets: read only where not everybody on this machine could have done so, too."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from placed.domain.problem import Problem
from placed.driver.file_content import read_file_content

if TYPE_CHECKING:
    from collections.abc import Iterable

CREDENTIALS = "CREDENTIALS_DIRECTORY"  # names systemd's folder of credentials to a service
# Where the unit's LoadCredential= takes files from, by what it puts before their names (systemd/README.md).
SOURCES = {"secrets_": Path("/etc/placed/secrets"), "encrypted_": Path("/etc/placed/encrypted")}
_READ_BY_SYSTEMD = "encrypted_"  # unreadable to others than systemd
_UNSET = (f"${CREDENTIALS}/", f"${{{CREDENTIALS}}}/")
_OTHERS = stat.S_IROTH | stat.S_IWOTH
LARGEST_SECRET = 2**20  # bytes; a device may have no end
_PRIVATE_KEY = b"PRIVATE KEY-----"  # every PEM label of one ends so: RFC 7468, and OpenSSL's older ones


class Exposed(Exception):
    """Everybody on this machine can read a secret, or put another in its place.

    Its problem has no key, and its text not the path: `can be read by ...`.
    """

    def __init__(self, problem: Problem, *, changeable: bool) -> None:
        super().__init__(problem.line)
        self.problem = problem
        self.changeable = changeable


def read_secret(path: Path) -> bytes:
    """The content of a file with a password, a token or a private key, without a byte order mark.

    Raises:
        Exposed: others than its owner and its group can read or change it.
        OSError: it cannot be read.
    """
    content, exposed = _read(path)
    if exposed is not None:
        raise exposed
    return content


def read_certificate(path: Path) -> bytes:
    """The content of a PEM file, which is a secret only where it holds a private key, too.

    Raises:
        Exposed: it holds a private key, and others than its owner and its group can read or change it.
        OSError: it cannot be read.
    """
    content, exposed = _read(path)
    if exposed is not None and _PRIVATE_KEY in content:
        raise exposed
    return content


def read_digests(path: Path) -> bytes:
    """The content of a file with digests: no secret, but who may change it decides who may do what.

    Raises:
        Exposed: others than its owner and its group can change it.
        OSError: it cannot be read.
    """
    content, exposed = _read(path)
    if exposed is not None and exposed.changeable:
        raise exposed
    return content


def exposure(path: Path, mode: int) -> str | None:
    """What everybody can do with a file of this mode: `read`, `changed`; None if nothing, or it is no file.

    A pipe or a device, as `/dev/fd/5` may be, is nobody else's to open, whatever its mode. Nor is what
    systemd keeps in $CREDENTIALS_DIRECTORY: systemd.exec(5), LoadCredential=.
    """
    if not stat.S_ISREG(mode) or not mode & _OTHERS or kept_by_systemd(path):
        return None
    return "changed" if mode & stat.S_IWOTH else "read"


def kept_by_systemd(path: Path) -> bool:
    """Whether it is one of the credentials that systemd handed to this process, or hands to the service."""
    folder = os.environ.get(CREDENTIALS)
    if folder and Path(folder) in path.parents:
        return True
    try:
        return path.parent in SOURCES.values() and not path.parent.stat().st_mode & stat.S_IRWXO
    except OSError:
        return False


def of_the_service(path: Path) -> bool:
    """Whether it is a credential that only the service has: $CREDENTIALS_DIRECTORY is not set here."""
    return str(path).startswith(_UNSET)


def source_of(path: Path) -> Path | None:
    """The file that the unit hands to the service under this name, if the unit does."""
    for prefix, folder in SOURCES.items():
        name = path.name.removeprefix(prefix)
        if name and name != path.name and (of_the_service(path) or kept_by_systemd(path)):
            return folder / name
    return None


def found_here(text: str) -> str:
    """A path as the settings name it, with its variables replaced.

    Where $CREDENTIALS_DIRECTORY is not set, the file that the unit would load stands in, if this user can
    read it: so `placed check` and `placed doctor` see what the service does. Else the variable stays.
    """
    # An empty variable is none: otherwise the file would be looked for in the root folder.
    unset = text.startswith(_UNSET) and not os.environ.get(CREDENTIALS)
    path = Path(text if unset else os.path.expandvars(text))
    source = source_of(path) if of_the_service(path) else None
    if source is not None and not path.name.startswith(_READ_BY_SYSTEMD) and os.access(source, os.R_OK):
        return str(source)
    return str(path)


def remedy_for_missing(path: Path) -> str:
    """What to do about a file that is not there: for a credential of the service, about its source."""
    source = source_of(path)
    if of_the_service(path):
        return f"${CREDENTIALS} is set for the service only: systemctl start placed"
    if not kept_by_systemd(path):
        return "create it or correct the path"
    folder = os.environ.get(CREDENTIALS, "")
    if folder and Path(folder) in path.parents and not (os.path.isabs(folder) and os.path.isdir(folder)):  # noqa: PTH112, PTH117
        return (
            f"${CREDENTIALS} is {folder}, expected the absolute path of a folder; unset it, or start the "
            "service: systemctl start placed"
        )
    if source is None:
        do = f"add LoadCredential={path.name}:/path/of/the/file with systemctl edit placed"
    else:
        do = f"create {source}"
    return f"systemd did not hand it over; {do}, then systemctl restart placed"


def as_service(command: str, paths: Iterable[Path]) -> str:
    """A command line that runs a command of placed with these credentials, as systemd runs the service."""
    given = {}
    for path in paths:
        source = source_of(path)
        if source is None:
            given[path.name] = f"LoadCredential={path.name}:/path/of/{path.name}"
        elif path.name.startswith(_READ_BY_SYSTEMD):
            given["encrypted"] = f"LoadCredentialEncrypted=encrypted:{source.parent}"
        else:
            given["secrets"] = f"LoadCredential=secrets:{source.parent}"
    properties = " ".join(f"-p {given[name]}" for name in sorted(given))
    return f"sudo systemd-run --pipe --wait --quiet --collect {properties} {command}"


def _read(path: Path) -> tuple[bytes, Exposed | None]:
    # The mode is that of what is read, where a link leads to, even if another is put there at this moment.
    content, mode = read_file_content(path, LARGEST_SECRET)
    content = content.removeprefix(codecs.BOM_UTF8)  # editors of Windows write it
    doing = exposure(path, mode)
    if doing is None:
        return content, None
    text = f"can be {doing} by every user of this machine (mode {stat.S_IMODE(mode):04o})"
    remedy = f"chmod o-rwx {path}, or hand it over by LoadCredential (systemd/README.md)"
    return content, Exposed(Problem("", text, remedy), changeable=doing == "changed")
