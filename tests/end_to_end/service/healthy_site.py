"""A site without errors for tests of the doctor, and what the doctor finds in it."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from placed.doctor import Chart, examine
from placed.driver import Finding, Surroundings, Verdict
from placed.settings.loader import load
from placed.store import Journal
from placed_microsoft365.simulator import make_client_certificate
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placed.domain.consent_record import ConsentRecord
    from placed_microsoft365.simulator import App
    from tests.support.deployment import Deployment

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
PASSWORD, GRACE = "hush-broker-password", "grace.quillfeather@contoso.example"
CERTIFICATE = make_client_certificate(key_size=2048)
FENCE = f'[connections.fence]\ncanaries = ["{GRACE}"]\n'
EVERYTHING = (
    *("settings", "state", "time_zones", "files", "http"),
    *("files", "certificate", "dns", "tls", "clock", "token", "claims", "consent"),
    *("rooms", "readable", "canaries", "titles", "private"),
    *("broker", "publish", "subscribe"),
)
AFTER_TOKEN = ["claims", "consent", "rooms", "readable", "canaries", "titles", "private"]


class HealthySite:
    """A deployment without errors, and what the doctor finds in it.

    Attributes:
        app: the registration of the connection contoso.
        group: that it is fenced to.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.tenant = deployment.tenant
        self.app = self.connect("contoso")
        self.group = deployment.tenant.add_group("placed-rooms", members=["boardroom", "library"])
        deployment.tenant.restrict(self.app, self.group)
        deployment.configure(**self.tables)

    @property
    def tables(self) -> dict[str, Mapping[str, object]]:
        folder = self.deployment.folder
        return {
            "mqtt": {
                "url": self.deployment.broker.url,
                "username": "placed",
                "password_file": str(folder / "password"),
            },
        }

    def connect(self, name: str, more: str = FENCE, **settings: Any) -> App:
        """A connection with a certificate, for its owner alone."""
        certificate = self.deployment.folder / f"{name}.pem"
        write_secret(certificate, CERTIFICATE)
        app = self.deployment.connect(name, certificate=certificate, more=more, **settings)
        app.certificates = self.tenant.register_app(certificates=[CERTIFICATE]).certificates
        return app

    async def examine(
        self,
        *,
        ahead: float = 0.0,
        details: bool = False,
        only: str | None = None,
        progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
        sensor_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Chart:
        """In this process, with a clock that is so many seconds ahead."""
        configuration = load(self.deployment.file)
        surroundings = Surroundings(
            now=lambda: self.deployment.clock.now() + timedelta(seconds=ahead),
            concurrency=8,
            details=details,
            version="1.2.3",
        )
        reported = examine(
            configuration,
            surroundings,
            self.deployment.state_directory,
            only=only,
            progress=progress,
            sensor_progress=sensor_progress,
        )
        names = [connection.name for connection in configuration.settings.connections]
        return Chart.of([item async for item in reported], names)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """All that is in the state directory, but for what SQLite has beside an open file."""
        return {
            str(path): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in self.deployment.state_directory.rglob("*")
            if path.is_file() and path.suffix not in (".db-wal", ".db-shm")
        }

    def note(self, record: ConsentRecord) -> None:
        """What is known of consent."""
        with closing(Journal(self.deployment.state_directory)) as journal:
            journal.consent("contoso").save(record)


def broken(chart: Chart) -> dict[str, str]:
    """What is broken, with the next step, in order; what only waits is left out."""
    return {f.check: f.remedy for _, f in chart.findings if f.verdict is BAD and not f.blocked_by}


def waiting(chart: Chart) -> dict[str, str]:
    """What waits for which link; its step is that of the link."""
    steps = {f.check: f.remedy for _, f in chart.findings if not f.blocked_by}
    waits = [f for _, f in chart.findings if f.blocked_by]
    assert all(f.verdict is BAD and f.remedy == steps[f.blocked_by] for f in waits)
    return {f.check: f.blocked_by for f in waits}


def finding(chart: Chart, check: str) -> Finding:
    """The only one of this check, or the gravest."""
    found = [f for _, f in chart.findings if f.check == check]
    return max(found, key=lambda f: list(Verdict).index(f.verdict))


def edit_client_id(site: HealthySite) -> None:
    text = site.deployment.file.read_text()
    site.deployment.file.write_text(text.replace(site.app.client_id, "12345678-1234-1234-1234-123456789abc"))
