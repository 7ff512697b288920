"""The login is read from the files of the settings, or what is wrong with them is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.domain.exit_errors import CannotStart
from placed.mqtt.client_options import login_options
from placed.settings.output_settings import Mqtt
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from placed.mqtt.client.connect_options import ConnectOptions


def options(path: Path, content: bytes) -> ConnectOptions:
    write_secret(path, content)
    settings = Mqtt.model_validate({"url": "mqtt://b", "username": "placed", "password_file": path})
    return login_options(settings, "placed")


@pytest.mark.parametrize("line", ["s3cret", "s3cret\n", "s3cret\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_password_is_read_however_an_editor_saves_it(tmp_path: Path, line: str, encoding: str) -> None:
    assert options(tmp_path / "password", line.encode(encoding)).password == "s3cret"


def test_a_password_that_does_not_fit_into_a_packet_is_refused(tmp_path: Path) -> None:
    assert options(tmp_path / "password", b"x" * 65_535).password == "x" * 65_535
    with pytest.raises(CannotStart, match=r"^mqtt\.password_file: .*: holds more than the 65535 bytes"):
        options(tmp_path / "password", b"x" * 65_536)
