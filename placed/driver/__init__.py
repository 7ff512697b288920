"""The port that a driver implements: `protocol` reads calendars; capabilities are optional."""

from placed.domain.clock_health import SET_CLOCK
from placed.domain.consent_record import Consent
from placed.domain.fence import UNTRIED, Fence, FenceState
from placed.domain.problem import Problem
from placed.domain.service_time import ServiceTime
from placed.driver.capabilities import (
    CredentialExpiry,
    DelayedGrants,
    FenceCircumstances,
    FenceTrial,
    SignInTakeover,
    credential_expiry,
    grant_delay,
)
from placed.driver.consent_flow import (
    ConsentAnswer,
    ConsentFlow,
    ConsentRequest,
    GrantProbe,
    Letter,
    OffersConsent,
    Permission,
    Propagation,
)
from placed.driver.diagnosis import (
    Diagnosis,
    Finding,
    OffersDiagnosis,
    Verdict,
)
from placed.driver.errors import DriverError, NotPermitted, Refused, Unavailable
from placed.driver.protocol import (
    Answer,
    Driver,
    DriverKind,
    Failed,
    FoundRoom,
    Query,
    Read,
    Surroundings,
    Unchanged,
)
from placed.driver.registry import driver_packages, find_drivers
from placed.driver.secret_file import Exposed, read_certificate, read_secret, remedy_for_missing
from placed.driver.settings import ConnectionSettings, FilePath, SettingsError, TimeZone
from placed.driver.setup_kit import (
    Kit,
    KitError,
    KitFile,
    OffersSetup,
    Question,
    Setup,
)

__all__ = [
    "SET_CLOCK",
    "UNTRIED",
    "Answer",
    "ConnectionSettings",
    "Consent",
    "ConsentAnswer",
    "ConsentFlow",
    "ConsentRequest",
    "CredentialExpiry",
    "DelayedGrants",
    "Diagnosis",
    "Driver",
    "DriverError",
    "DriverKind",
    "Exposed",
    "Failed",
    "Fence",
    "FenceCircumstances",
    "FenceState",
    "FenceTrial",
    "FilePath",
    "Finding",
    "FoundRoom",
    "GrantProbe",
    "Kit",
    "KitError",
    "KitFile",
    "Letter",
    "NotPermitted",
    "OffersConsent",
    "OffersDiagnosis",
    "OffersSetup",
    "Permission",
    "Problem",
    "Propagation",
    "Query",
    "Question",
    "Read",
    "Refused",
    "ServiceTime",
    "SettingsError",
    "Setup",
    "SignInTakeover",
    "Surroundings",
    "TimeZone",
    "Unavailable",
    "Unchanged",
    "Verdict",
    "credential_expiry",
    "driver_packages",
    "find_drivers",
    "grant_delay",
    "read_certificate",
    "read_secret",
    "remedy_for_missing",
]
