"""The brokers that Debian, PyPI and npm have, each started on loopback with its files in a folder."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tests.support.free_ports import HOST, free_port

START = 90.0  # seconds; RabbitMQ takes some ten
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "placed-tests"
_RABBITMQ: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class MissingError(Exception):
    """The broker cannot be installed here; the message gives the reason."""


class Software:
    """One broker. `start` and `stop` may follow each other; `port` stays."""

    name = ""
    source = ""  # where it is from

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._processes: list[asyncio.subprocess.Process] = []

    @property
    def url(self) -> str:
        """Its address, as the settings want it."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def version(self) -> str:
        """Its version.

        Raises:
            MissingError: it is not here.
        """
        raise NotImplementedError

    async def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Ends it at once, as a power cut would."""
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        self._processes.clear()

    async def _run(self, *command: str | Path, **environment: str) -> None:
        with (self.folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **environment},
                cwd=self.folder,
            )
        self._processes.append(process)

    async def _listens(self, port: int) -> None:
        async with asyncio.timeout(START):
            while True:
                if any(process.returncode is not None for process in self._processes):
                    raise AssertionError(
                        f"{self.name} has ended\n{(self.folder / 'log').read_text()[-3000:]}"
                    )
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(HOST, port)
                    writer.close()
                    return
                await asyncio.sleep(0.1)  # another process: that it listens is no event here


class Mosquitto(Software):
    """Debian's mosquitto."""

    name, source = "mosquitto", "Debian 12"

    @property
    def version(self) -> str:
        """Its version."""
        output = subprocess.run(
            [program("mosquitto"), "-h"], check=False, capture_output=True, text=True
        ).stdout
        return output.split()[2]

    async def start(self) -> None:
        """Starts it."""
        file = self.folder / "mosquitto.conf"
        file.write_text(f"user root\nlistener {self.port} {HOST}\nallow_anonymous true\n")
        await self._run(program("mosquitto"), "-c", file)
        await self._listens(self.port)


class Nats(Software):
    """Debian's nats-server, whose MQTT stands on JetStream."""

    name, source = "NATS", "Debian 12"

    @property
    def version(self) -> str:
        """Its version."""
        output = subprocess.run(
            [program("nats-server"), "--version"], check=True, capture_output=True, text=True
        ).stdout
        return output.rpartition("v")[2].strip()

    async def start(self) -> None:
        """Starts it."""
        file = self.folder / "nats.conf"
        file.write_text(
            f'server_name: placed\nlisten: "{HOST}:{free_port()}"\n'
            f'jetstream {{ store_dir: "{self.folder}/jetstream" }}\nmqtt {{ listen: "{HOST}:{self.port}" }}\n'
        )
        await self._run(program("nats-server"), "-c", file)
        await self._listens(self.port)


class RabbitMq(Software):
    """Debian's rabbitmq-server with its plugin for MQTT, and a port mapper of its own."""

    name, source = "RabbitMQ", "Debian 12"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._mapper, self._amqp, self._between = free_port(), free_port(), free_port()

    @property
    def version(self) -> str:
        """Its version."""
        if not _RABBITMQ.exists():
            raise MissingError("rabbitmq-server is not installed")
        (home,) = Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
        return home.name.rpartition("-")[2]

    async def start(self) -> None:
        """Starts it."""
        folder = self.folder
        (folder / "enabled").write_text("[rabbitmq_mqtt].\n")
        (folder / "rabbitmq.conf").write_text(
            f"mqtt.listeners.tcp.1 = {HOST}:{self.port}\nmqtt.allow_anonymous = true\n"
            f"listeners.tcp.1 = {HOST}:{self._amqp}\n"
        )
        mapper = {"ERL_EPMD_ADDRESS": HOST, "ERL_EPMD_PORT": str(self._mapper)}
        await self._run(program("epmd"), "-address", HOST, "-port", str(self._mapper), **mapper)
        await self._listens(self._mapper)
        await self._run(
            _RABBITMQ,
            **mapper,
            RABBITMQ_NODENAME=f"placed-{self.port}@localhost",
            RABBITMQ_NODE_IP_ADDRESS=HOST,
            RABBITMQ_NODE_PORT=str(self._amqp),
            RABBITMQ_DIST_PORT=str(self._between),
            RABBITMQ_MNESIA_BASE=str(folder / "mnesia"),
            RABBITMQ_LOG_BASE=str(folder / "log-files"),
            RABBITMQ_LOGS="-",
            RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "enabled"),
            RABBITMQ_CONFIG_FILE=str(folder / "rabbitmq"),
            RABBITMQ_CONF_ENV_FILE=str(folder / "none"),
            RABBITMQ_PID_FILE=str(folder / "pid"),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}",
        )
        await self._listens(self.port)


class Aedes(Software):
    """npm's aedes, behind a server of its own as its page shows it."""

    name, source = "aedes", "npm"

    @property
    def version(self) -> str:
        """Its version."""
        return npm("aedes", "1.1.2")[1]

    async def start(self) -> None:
        """Starts it."""
        folder, _ = npm("aedes", "1.1.2")
        file = self.folder / "broker.mjs"
        file.write_text(
            f"import {{ Aedes }} from '{folder}/node_modules/aedes/aedes.js'\nimport net from 'node:net'\n"
            "const broker = await Aedes.createBroker()\n"
            f"net.createServer(broker.handle).listen({self.port}, '{HOST}')\n"
        )
        await self._run(program("node"), file)
        await self._listens(self.port)


class Amqtt(Software):
    """PyPI's amqtt."""

    name, source = "amqtt", "PyPI"

    @property
    def version(self) -> str:
        """Its version."""
        return version("amqtt")

    async def start(self) -> None:
        """Starts it."""
        file = self.folder / "broker.py"
        file.write_text(
            "import asyncio\nfrom amqtt.broker import Broker\n"
            f'listeners = {{"default": {{"type": "tcp", "bind": "{HOST}:{self.port}"}}}}\n'
            'plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}\n'
            'async def main():\n    await Broker({"listeners": listeners, "plugins": plugins}).start()\n'
            "    await asyncio.Event().wait()\nasyncio.run(main())\n"
        )
        await self._run(sys.executable, file)
        await self._listens(self.port)


ALL: Final[tuple[type[Software], ...]] = (Mosquitto, RabbitMq, Nats, Aedes, Amqtt)


def npm(package: str, wanted: str) -> tuple[Path, str]:
    """A package of npm, installed on its first use below the user's cache: its folder, and its version.

    Raises:
        MissingError: it cannot be had here.
    """
    folder = CACHE / f"{package}-{wanted}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs must not make it at the same time
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            command = [program("npm"), "install", "--no-audit", "--no-fund", f"{package}@{wanted}"]
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=partial)
            if done.returncode:
                raise MissingError(f"npm install {package} failed: {done.stderr.strip().splitlines()[-1:]}")
            partial.rename(folder)
    return folder, wanted


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise MissingError(f"{name} is not installed")
    return found
