"""A mosquitto with the very files of config/mosquitto; ports, folder and user are this test's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiomqtt

from tests.support.free_ports import HOST, free_port
from tests.support.mosquitto import Authority, Mosquitto, Subscriber, _hashed
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES = Path(__file__).resolve().parents[2] / "config" / "mosquitto"
PASSWORDS = {
    "placed": "hush-daemon",
    "boardroom": "hush-boardroom",
    "lobby": "hush-lobby",
    "homeassistant": "ha",
}


class Guarded(Mosquitto):
    """Its panels come in at `port`, the daemon at `daemon_port`.

    Args:
        folder: where its files go.
        access: the name of the access list, which is installed as placed.acl.
    """

    def __init__(self, folder: Path, access: str = "placed.acl") -> None:
        super().__init__(folder, authority=Authority(folder / "ca"))
        assert self.authority is not None
        self.daemon_port = free_port()
        self._ports = {"8883": self.port, "8884": self.daemon_port}
        certificate, key = self.authority.issue(HOST)
        (folder / "certs").mkdir()
        for name, path in (("broker.pem", certificate), ("broker.key", key)):
            path.rename(folder / "certs" / name)
        daemon = {"placed": PASSWORDS["placed"]}
        self._passwords("daemon.passwords", daemon)
        self._passwords("panels.passwords", {k: v for k, v in PASSWORDS.items() if k not in daemon})
        write_secret(folder / "placed.acl", (FILES / access).read_text())
        text = (FILES / "mosquitto.conf").read_text()
        text, files = re.subn(r"^(\w+file \S*?)/etc/mosquitto/", rf"\1{folder}/", text, flags=re.MULTILINE)
        text, ports = re.subn(
            r"^listener (\d+)$",
            lambda found: f"listener {self._ports[found[1]]} {HOST}",
            text,
            flags=re.MULTILINE,
        )
        assert (files, ports) == (8, 2)
        # As root it would become another user, who may not look into the folder of a test.
        self._configuration = self._write("guarded.conf", [text, "user root"])

    def settings(self, **more: Any) -> dict[str, Any]:
        """The daemon's, but for what is given."""
        assert self.authority is not None
        password = self._folder / "password"
        write_secret(password, PASSWORDS["placed"])
        return {
            "url": f"mqtts://{HOST}:{self.daemon_port}",
            "username": "placed",
            "password_file": password,
            "ca_file": self.authority.ca_file,
            **more,
        }

    def reader(self, login: str, *topics: str, **more: Any) -> Subscriber:
        """A subscriber at the panels' port."""
        return Subscriber(self, *topics, username=login, password=PASSWORDS[login], **more)

    def client(
        self, login: str | None, password: str | None = None, *, port: int | None = None, **more: Any
    ) -> aiomqtt.Client:
        """A client of its own, at the panels' port; with the login's password by default."""
        assert self.authority is not None
        if login is not None:
            more |= {"username": login, "password": password or PASSWORDS[login]}
        return aiomqtt.Client(
            HOST,
            port or self.port,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=self.authority.context(),
            **more,
        )

    def _passwords(self, name: str, users: Mapping[str, str]) -> None:
        self._write(name, (f"{user}:{_hashed(password)}" for user, password in users.items()))
