"""A real mosquitto for tests, and a subscriber that keeps what it received."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import aiomqtt
import pytest
import trustme
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST, free_port
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType


class Authority:
    """A certificate authority and what it issues, as PEM files in a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = trustme.CA(organization_name=name)
        self._folder = folder
        self.ca_file = folder / f"{name}.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)

    def issue(self, *names: str) -> tuple[Path, Path]:
        """A certificate for the names, and its key."""
        issued = self.ca.issue_cert(*names)
        certificate, key = self._folder / f"{names[0]}.pem", self._folder / f"{names[0]}.key"
        certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        write_secret(key, issued.private_key_pem.bytes())
        return certificate, key

    def context(self, *client: str) -> ssl.SSLContext:
        """Trusts this authority; with a client certificate for the names, if any."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if client:
            context.load_cert_chain(*self.issue(*client))
        return context


class Mosquitto:
    """A mosquitto on loopback.

    Args:
        folder: where its files go.
        authority: speaks TLS with a certificate of this authority.
        names: whom its certificate is for.
        client_certificates: wants a certificate of `authority` from clients.
        users: logins and passwords; without, everybody is let in.
        access: lines of an access list, such as `topic read placed/#`.
        persistence: whether it remembers retained messages when it was stopped.
        extra: more lines of configuration.
    """

    def __init__(  # noqa: PLR0913 - each is a thing that a broker may be
        self,
        folder: Path,
        *,
        authority: Authority | None = None,
        names: Sequence[str] = ("127.0.0.1", "localhost"),
        client_certificates: bool = False,
        users: Mapping[str, str] | None = None,
        access: Iterable[str] | None = None,
        persistence: bool = False,
        extra: Iterable[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.authority = authority
        self.client_certificates = client_certificates
        self.log: list[str] = []
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._line_added = asyncio.Condition()
        lines = [
            "user root",  # when it is started as root it shall stay so, or it could not read its files
            "max_queued_messages 1000000",  # with 0, 2.0.11 hangs up on who publishes what is forbidden
            f"persistence {str(persistence).lower()}",
            f"persistence_location {folder}/",
            f"listener {self.port} {HOST}",
        ]
        if authority:
            certificate, key = authority.issue(*names)
            lines += [f"certfile {certificate}", f"keyfile {key}", f"cafile {authority.ca_file}"]
            lines.append(f"require_certificate {str(client_certificates).lower()}")
        if access is not None:
            lines.append(f"acl_file {self._write('access', access)}")
        lines.append(f"allow_anonymous {str(users is None).lower()}")
        if users is not None:
            self.users(users)
            lines.append(f"password_file {folder / 'passwords'}")
        self._configuration = self._write("mosquitto.conf", [*lines, *extra])

    @property
    def url(self) -> str:
        """Its address, as the settings want it."""
        return f"{'mqtts' if self.authority else 'mqtt'}://{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Of its process; None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def users(self, users: Mapping[str, str]) -> None:
        """Sets who may log in; a running one takes it up with `reload`."""
        self._write("passwords", (f"{user}:{_hashed(password)}" for user, password in users.items()))

    def access(self, lines: Iterable[str]) -> None:
        """Sets the access list, which was given at first; a running one takes it up with `reload`."""
        self._write("access", lines)

    async def start(self) -> None:
        """Starts it, and waits until it lets clients in."""
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip("mosquitto is not installed")
        self.log.clear()
        self._process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            self._configuration,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read())
        await self.wait_for_line("running")
        # The line comes a moment before it handles signals; once it accepts a connection it handles them.
        _, writer = await asyncio.open_connection(HOST, self.port)
        await self.wait_for_line("New connection")
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def wait_for_line(self, words: str) -> str:
        """The first line of its log with these words, as soon as it is there."""
        async with asyncio.timeout(DEADLINE), self._line_added:
            while True:
                for line in self.log:
                    if words in line:
                        return line
                if self._reading is None or self._reading.done():
                    raise AssertionError("\n".join(["mosquitto has ended", *self.log]))
                await self._line_added.wait()

    async def stop(self) -> None:
        """Stops it, orderly."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Ends it as a power cut would: kill -9."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stops it and starts it again on the same port."""
        await self.stop()
        await self.start()

    def reload(self) -> None:
        """Has it read its passwords and access list again."""
        self._signal(signal.SIGHUP)

    async def write_down(self) -> None:
        """Has it write to disk what it holds; without, it does so only now and then."""
        self._signal(signal.SIGUSR1)
        await self.wait_for_line("Saving in-memory database")

    def freeze(self) -> None:
        """It does nothing any more, while its connections seem to stand."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def _end(self, number: signal.Signals) -> None:
        if self._process is None or self._reading is None:
            return
        if self._process.returncode is None:
            self.thaw()
            self._signal(number)
        await self._process.wait()
        await self._reading
        self._process = None

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            await self._add_line(line.decode(errors="replace").rstrip())
        await self._add_line("ended")

    async def _add_line(self, line: str) -> None:
        async with self._line_added:
            self.log.append(line)
            self._line_added.notify_all()

    def _write(self, name: str, lines: Iterable[str]) -> Path:
        path = self._folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        path.chmod(0o600)
        return path


def _hashed(password: str) -> str:
    """As mosquitto_passwd of mosquitto 2 has it: PBKDF2 with SHA-512."""
    salt, rounds = b"just a test.", 101
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that came; `retain` is as it was published, also where it was not kept but passed on."""

    topic: str
    payload: bytes
    retain: bool
    at: float  # on the event loop's clock
    properties: Mapping[str, Any] = field(default_factory=dict)
    qos: int = 0

    @property
    def text(self) -> str:
        """The payload, as text."""
        return self.payload.decode()

    @property
    def document(self) -> Any:
        """The payload, as JSON."""
        return json.loads(self.payload)

    @property
    def expiry(self) -> int | None:
        """Seconds that it still may live."""
        expiry: int | None = self.properties.get("MessageExpiryInterval")
        return expiry


class Subscriber:
    """Subscribes, and remembers all that comes, in order.

    Args:
        broker: where.
        topics: to what.
        options: more for the client, such as `username` and `password`.
    """

    def __init__(self, broker: Mosquitto, *topics: str, **options: Any) -> None:
        self.arrivals: list[Arrival] = []
        self._topics = topics or ("#",)
        self._came = asyncio.Condition()
        if broker.authority and "tls_context" not in options:
            options["tls_context"] = broker.authority.context(*["subscriber"][: broker.client_certificates])
        self._client = aiomqtt.Client(
            HOST, broker.port, protocol=aiomqtt.ProtocolVersion.V5, timeout=DEADLINE, **options
        )
        self._marks, self._marked = 0, b""
        self._mark = ""
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        self._mark = f"tests/marks/{secrets.token_hex(8)}"
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        self._reading = asyncio.create_task(self._read())
        await self._client.subscribe([(topic, options) for topic in (*self._topics, self._mark)])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._client.__aexit__(kind, error, trace)

    @property
    def latest(self) -> dict[str, Arrival]:
        """The last message of each topic that is not a clearing one."""
        last = {arrival.topic: arrival for arrival in self.arrivals}
        return {topic: arrival for topic, arrival in last.items() if arrival.payload}

    def on(self, topic: str) -> list[Arrival]:
        """All that came on a topic."""
        return [arrival for arrival in self.arrivals if arrival.topic == topic]

    async def until(self, wanted: Callable[[Arrival], object], *, after: int = 0) -> Arrival:
        """The first message that is wanted, of those from number `after` on; waits for it."""
        async with asyncio.timeout(DEADLINE), self._came:
            seen = after
            while True:
                for arrival in self.arrivals[seen:]:
                    if wanted(arrival):
                        return arrival
                seen = max(seen, len(self.arrivals))
                await self._came.wait()

    async def message(self, topic: str, payload: str | None = None, *, after: int = 0) -> Arrival:
        """The first message on a topic, with this payload if one is given; waits for it."""
        return await self.until(
            lambda a: a.topic == topic and (payload is None or a.payload == payload.encode()), after=after
        )

    async def caught_up(self) -> None:
        """Everything that the broker had for us before now is here."""
        self._marks += 1
        mark = str(self._marks).encode()
        await self._client.publish(self._mark, mark, qos=1)
        async with asyncio.timeout(DEADLINE), self._came:
            while self._marked != mark:
                await self._came.wait()

    async def publish(
        self,
        topic: str,
        payload: str | bytes,
        *,
        retain: bool = False,
        response_topic: str | None = None,
        correlation: bytes | None = None,
    ) -> None:
        """Publishes, as anybody may."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if response_topic is not None:
            properties.ResponseTopic = response_topic
        if correlation is not None:
            properties.CorrelationData = correlation
        await self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        async for message in self._client.messages:
            topic, payload = message.topic.value, message.payload
            assert isinstance(payload, bytes)
            async with self._came:
                if topic == self._mark:
                    self._marked = payload
                else:
                    properties = dict(vars(message.properties)) if message.properties else {}
                    self.arrivals.append(
                        Arrival(topic, payload, message.retain, loop.time(), properties, message.qos)
                    )
                self._came.notify_all()
