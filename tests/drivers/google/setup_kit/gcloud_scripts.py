"""The kit's scripts for bash, run with the little cloud of `fake_gcloud.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.command_of_a_cloud import CommandOfACloud

CHANGING = ("create", "delete", "enable")


def new_private_key() -> str:
    """What Google makes."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Gcloud(CommandOfACloud):
    """The little cloud, and its `gcloud` on a PATH."""

    def __init__(self, folder: Path, private_key: str, **differences: Any) -> None:
        state = {
            "signed_in": True,
            "projects": [],
            "accounts": [],
            "taken": [],
            "keys_forbidden": False,
            "slow": 0,
            "lag": 0,
            "private_key": private_key,
            "calls": [],
        }
        super().__init__(
            folder,
            Path(__file__).with_name("fake_gcloud.py"),
            name="gcloud",
            variable="GCLOUD_STATE",
            state=state | differences,
            changing=CHANGING,
        )

    def become(self, **differences: Any) -> None:
        self.file.write_text(json.dumps(self.state | differences))

    @property
    def keys(self) -> list[str]:
        """The ids of the only account's keys."""
        (account,) = self.state["accounts"]
        return list(account["keys"])
