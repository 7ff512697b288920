"""One sign-in with MSAL: it blocks, remembers nothing, and tells every failure as a `DriverError`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests

from placed.driver import DriverError, Unavailable
from placed_microsoft365.aadsts import codes_in, token_error
from placed_microsoft365.answers import parse_retry_after
from placed_microsoft365.network import ca_bundle, not_trusted, proxy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from placed_microsoft365.credential import Credential

TIMEOUT = 20.0  # seconds without a word of the login host
_SHORTEST, _LONGEST = 60.0, 86_400.0  # seconds that a token's lifetime is believed to be between
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Registration:
    """Who signs in, and for what.

    Attributes:
        scope: `<graph host>/.default`.
        ca_file: private CA of the login host, None for the system's.
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


def sign_in(registration: Registration, asked: Callable[[], None] = lambda: None) -> tuple[str, float]:
    """A new access token, and for how many seconds it is good.

    MSAL's application is made for each: it would keep refused answers, and repeat them for a minute.

    Args:
        registration: who signs in.
        asked: called when the login host is about to be asked.

    Raises:
        DriverError: there is none to be had.
    """
    with _Session(registration, asked) as session:
        try:
            result = _acquire(registration, session)
        except DriverError:
            raise
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise not_trusted(registration.login_url) from None
            raise Unavailable("the login host can not be reached: SSLError") from None
        except (requests.RequestException, OSError) as error:
            # Not `from error`: it quotes the address.
            raise Unavailable(f"the login host can not be reached: {type(error).__name__}") from None
        except Exception:  # noqa: BLE001 - MSAL raises whatever it trips over in an answer
            raise session.failure({}) from None
        try:
            token, lifetime = str(result["access_token"]), float(result["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise session.failure(result) from None
        if not _TOKEN.fullmatch(token):
            raise session.failure({})
        return token, min(max(lifetime, _SHORTEST), _LONGEST)


def _acquire(registration: Registration, session: _Session) -> Mapping[str, Any]:
    import msal  # noqa: PLC0415 - a third of the start-up time, and only wanted here

    application = msal.ConfidentialClientApplication(
        registration.client_id,
        authority=registration.authority,
        client_credential=registration.credential.for_msal,
        instance_discovery=False,  # the clouds are known by name, and a simulator is no cloud
        http_client=session,
    )
    result: Mapping[str, Any] = application.acquire_token_for_client([registration.scope])
    return result


class _Session(requests.Session):
    """The HTTP client that MSAL is given; it keeps the last answer, of which MSAL tells only a part."""

    def __init__(self, registration: Registration, asked: Callable[[], None]) -> None:
        super().__init__()
        self._asked = asked
        self.trust_env = False  # see placed_microsoft365.network
        self.verify = ca_bundle(registration.ca_file)
        proxy = proxy_for(registration.login_url)
        if proxy is not None:
            self.proxies = {"https": proxy}
        self._last: requests.Response | None = None

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """A request that does not wait for ever, and does not carry a credential to another host.

        Of an answer that is no JSON, MSAL would write the text into the log: half a token, perhaps.
        """
        kwargs.setdefault("timeout", TIMEOUT)
        kwargs["allow_redirects"] = False
        if self._last is None:
            self._asked()
        self._last = super().request(*args, **kwargs)
        try:
            self._last.json()
        except (ValueError, RecursionError):
            raise self.failure({}) from None
        return self._last

    def failure(self, result: Mapping[str, Any]) -> DriverError:
        """What the last answer means; `result` is what MSAL made of it, if anything."""
        if self._last is None:
            return Unavailable("the login host was not asked")
        told = result.get("error_codes")
        codes = [code for code in told if isinstance(code, int)] if isinstance(told, list) else []
        rest = parse_retry_after(self._last.headers.get("Retry-After"), datetime.now(UTC))
        return token_error(
            codes or codes_in(self._last.text), str(result.get("error", "")), self._last.status_code, rest
        )
