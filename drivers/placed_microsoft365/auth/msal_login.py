"""Signs in once with MSAL. It blocks, keeps nothing, and raises every failure as a `DriverError`."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import SystemTimeWarning

from placed.driver import DriverError, Refused, Unavailable
from placed.driver.network.redirect_errors import is_redirect, redirected
from placed.driver.network.retry_after import parse_retry_after
from placed.driver.network.service_clock import APART
from placed.driver.network.tls_and_proxy import ca_bundle, not_reached, not_trusted, proxy_for
from placed_microsoft365.auth.aadsts_codes import OUT_OF_TIME, codes_in, token_error
from placed_microsoft365.auth.client_assertion import client_assertion
from placed_microsoft365.auth.msal_transport import LoginTransport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from placed.driver import ServiceTime
    from placed.driver.network.service_clock import ServiceClock
    from placed_microsoft365.auth.credential import Credential

# The warning would go to stderr, past the log. placed reports a wrong clock itself.
warnings.simplefilter("ignore", SystemTimeWarning)

TIMEOUT = 20.0  # seconds of silence from the login host
_SHORTEST, _LONGEST = 60.0, 86_400.0  # the range, in seconds, in which a token's lifetime is believed
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Registration:
    """The application that signs in, and the scope it asks for.

    Attributes:
        scope: `<graph host>/.default`.
        ca_file: the private CA of the login host; None for the system's CAs.
    """

    login_url: str
    tenant: str
    client_id: str
    credential: Credential
    scope: str
    ca_file: Path | None

    @property
    def authority(self) -> str:
        """The tenant's address at the login host."""
        return f"{self.login_url}/{self.tenant}"


def sign_in(registration: Registration, clock: ServiceClock) -> tuple[str, float]:
    """A new access token, and for how many seconds it is good.

    An MSAL application is created for each sign-in, because it would cache refusals and repeat them for a
    minute. The client assertion carries the login host's time, as far as its responses show it. If the
    assertion is refused because of its time, the sign-in is tried once more: by the time that this response
    shows, or by the program's, if it shows the same as before.

    Args:
        registration: who signs in.
        clock: reads the time in the answers.

    Raises:
        DriverError: the sign-in failed.
    """
    with _Session(registration, clock) as session:
        try:
            result = _acquire(registration, session)
            if _is_out_of_time(result) and session.has_another_time():
                result = _acquire(registration, session)
        except DriverError:
            raise
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise not_trusted(registration.login_url, error, clock.now()) from None
            raise not_reached("the login host", registration.login_url, error) from None
        except (requests.RequestException, OSError) as error:
            # Not `from error`: its text contains the URL.
            raise not_reached("the login host", registration.login_url, error) from None
        except Exception:  # noqa: BLE001 - MSAL raises arbitrary errors for malformed responses
            raise session.failure({}) from None
        try:
            token, lifetime = result["access_token"], float(result["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise _certificate_error(registration, session, session.failure(result)) from None
        if not (isinstance(token, str) and _TOKEN.fullmatch(token)):
            raise session.failure({})
        return token, min(max(lifetime, _SHORTEST), _LONGEST)


def _acquire(registration: Registration, session: _Session) -> Mapping[str, Any]:
    import msal  # noqa: PLC0415 - a third of the start-up time, and only needed here

    credential: Any = registration.credential.for_msal
    if not isinstance(credential, str):
        key = credential

        def assertion() -> str:
            audience = application.authority.token_endpoint
            return client_assertion(key, registration.client_id, audience, session.time_to_sign())

        credential = {"client_assertion": assertion}
    application = msal.ConfidentialClientApplication(
        registration.client_id,
        authority=registration.authority,
        client_credential=credential,
        instance_discovery=False,  # the clouds are known by name, and the simulator is none of them
        http_client=session,
    )
    result: Mapping[str, Any] = application.acquire_token_for_client([registration.scope])
    return result


def _certificate_error(registration: Registration, session: _Session, error: DriverError) -> DriverError:
    """Returns the error of a refused sign-in, with the certificate's dates if they explain it."""
    if not isinstance(error, Refused):
        return error
    credential, moment = registration.credential, session.time_to_sign()
    if credential.expires_at is not None and credential.expires_at <= moment:
        text = f"the certificate expired on {credential.expires_at:%Y-%m-%d}"
    elif credential.valid_from is not None and credential.valid_from > moment:
        text = f"the certificate is valid only from {credential.valid_from:%Y-%m-%d}"
    else:
        return error
    return Refused(
        f"{error}; {text}", remedy="register a certificate that is valid now (placed setup --renew)"
    )


def _is_out_of_time(result: Mapping[str, Any]) -> bool:
    return not OUT_OF_TIME.isdisjoint(_codes_of(result))


def _codes_of(result: Mapping[str, Any]) -> list[int]:
    numbers = result.get("error_codes")
    codes = [code for code in numbers if isinstance(code, int)] if isinstance(numbers, list) else []
    return codes or codes_in(str(result.get("error_description", "")))


class _Session(requests.Session):
    """The HTTP client of MSAL. It keeps the last response, because MSAL passes on only a part of it."""

    def __init__(self, registration: Registration, clock: ServiceClock) -> None:
        super().__init__()
        self._clock = clock
        self._login_url = registration.login_url
        self._kept = self._by_own_clock = False
        self._found: ServiceTime | None = None  # the login host's time in its last response
        self._signed = 0.0  # the time of the last assertion, minus the steady clock
        self.trust_env = False  # see placed.driver.network.tls_and_proxy
        self.verify = ca_bundle(registration.ca_file)
        proxy = proxy_for(registration.login_url)
        if proxy is not None:
            self.proxies = {"https": proxy}
        transport = LoginTransport(registration.login_url)
        for scheme in ("https://", "http://"):
            self.mount(scheme, transport)
        self._last: requests.Response | None = None

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends a request with a time limit, and only to the login host.

        MSAL would log the text of a response that is not JSON, and with it possibly half a token.
        """
        kwargs.setdefault("timeout", TIMEOUT)
        kwargs["allow_redirects"] = False
        asked_at = self._clock.steady()
        self._last = super().request(*args, **kwargs)
        found = self._clock.answered(self._last.headers, asked_at)
        if found is not None and not self._kept:
            self._found = found
        if is_redirect(self._last.status_code):  # the login host sends none to what asks for a token
            raise redirected(self._login_url, self._last.status_code, self._last.headers)
        try:
            self._last.json()
        except (ValueError, RecursionError):
            raise self.failure({}) from None
        return self._last

    def time_to_sign(self) -> datetime:
        """Returns the login host's time, as far as its responses have shown it."""
        moment = self._clock.now() if self._by_own_clock else self._clock.at_service(self._found)
        self._signed = moment.timestamp() - self._clock.steady()
        return moment

    def has_another_time(self) -> bool:
        """Returns whether there is another time than the one that was refused, and signs with that next."""
        self._kept = True
        steady = self._clock.steady()
        better = self._clock.at_service(self._found).timestamp() - steady
        if abs(better - self._signed) > APART:
            return True
        self._by_own_clock = True
        return abs(self._clock.now().timestamp() - steady - self._signed) > APART

    def failure(self, result: Mapping[str, Any]) -> DriverError:
        """Returns the error for the last response; `result` is MSAL's reading of it, if any."""
        if self._last is None:
            return Unavailable("the login host was not asked")
        numbers = result.get("error_codes")
        codes = [code for code in numbers if isinstance(code, int)] if isinstance(numbers, list) else []
        rest = parse_retry_after(self._last.headers.get("Retry-After"), self._clock.now())
        return token_error(
            codes or codes_in(self._last.text), str(result.get("error", "")), self._last.status_code, rest
        )
