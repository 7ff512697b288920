"""The access token: fetched with MSAL in a thread, kept, renewed early, dropped when it is refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import requests

from placed.driver import DriverError, Refused, Unavailable
from placed_microsoft365.aadsts import codes_in, token_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    import msal

    from placed_microsoft365.credential import Credential

TIMEOUT = 20.0  # seconds for one request to the login host
_EARLY = 300.0  # seconds before its end at which a token is renewed


class TokenSource:
    """Gives the token of one registration.

    Args:
        login_url: the login host.
        tenant: domain name or GUID.
        client_id: the registration.
        credential: what it signs in with.
        scope: `<graph host>/.default`.
        ca_file: private CA of the login host, None for the system's.
        now: the clock on the wall.
    """

    def __init__(  # noqa: PLR0913 - what a registration is made of
        self,
        *,
        login_url: str,
        tenant: str,
        client_id: str,
        credential: Credential,
        scope: str,
        ca_file: Path | None,
        now: Callable[[], datetime],
    ) -> None:
        self._authority = f"{login_url}/{tenant}"
        self._client_id = client_id
        self._credential = credential
        self._scope = scope
        self._ca_file = ca_file
        self._now = now
        self._application: msal.ConfidentialClientApplication | None = None
        self._token: str | None = None
        self._renew_at = 0.0
        self._ends_at = 0.0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token that is good now.

        Raises:
            DriverError: there is none to be had.
        """
        async with self._lock:
            moment = self._now().timestamp()
            if self._token is not None and moment < self._renew_at:
                return self._token
            try:
                result = await asyncio.to_thread(self._ask)
            except DriverError as error:
                # While the old token is good, a login host that is down is no reason to stop.
                if self._token is not None and moment < self._ends_at and not isinstance(error, Refused):
                    self._renew_at = min(moment + 60, self._ends_at)
                    return self._token
                self._token = None
                raise
            lifetime = float(result["expires_in"])
            self._token = str(result["access_token"])
            self._ends_at = moment + lifetime
            self._renew_at = moment + (lifetime - _EARLY if lifetime > 2 * _EARLY else lifetime / 2)
            return self._token

    def drop(self, token: str) -> None:
        """The service refused this token; the next one asked for is a new one."""
        if token == self._token:
            self._token = None

    def _ask(self) -> Mapping[str, Any]:
        import msal  # noqa: PLC0415 - a third of the start-up time, and only wanted here

        try:
            if self._application is None:
                self._application = msal.ConfidentialClientApplication(
                    self._client_id,
                    authority=self._authority,
                    client_credential=self._credential.for_msal,
                    instance_discovery=False,  # the clouds are known by name, and a simulator is no cloud
                    http_client=_Session(self._ca_file),
                )
            self._application.remove_tokens_for_client()  # this class is the cache
            result: Mapping[str, Any] = self._application.acquire_token_for_client([self._scope])
        except requests.exceptions.SSLError as error:
            self._application = None
            raise _untrusted(self._authority) from error
        except (requests.RequestException, OSError) as error:
            self._application = None
            raise Unavailable(f"the login host can not be reached: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            # MSAL's words for a discovery that failed, and what it trips over when an answer is no JSON.
            self._application = None
            codes = codes_in(str(error))
            if codes:
                raise token_error(codes, "") from None
            raise Unavailable("the login host does not tell the tenant's OpenID configuration") from None
        if "access_token" in result and "expires_in" in result:
            return result
        self._application = None  # and with it MSAL's memory of the failed answer
        raise token_error(_codes(result), str(result.get("error", "")))


def _codes(result: Mapping[str, Any]) -> list[int]:
    codes = result.get("error_codes")
    if isinstance(codes, list) and codes:
        return [code for code in codes if isinstance(code, int)]
    return codes_in(str(result.get("error_description", "")))


def _untrusted(url: str) -> Refused:
    host = "/".join(url.split("/")[:3])
    return Refused(
        f"the TLS certificate of {host} is not trusted",
        remedy="set ca_file to the CA that signed it, or correct the address",
    )


class _Session(requests.Session):
    """The HTTP client that MSAL is given.

    `requests` lets REQUESTS_CA_BUNDLE win over `Session.verify`; a CA that the settings name has to win over
    both. Proxies of the environment stay in force.
    """

    def __init__(self, ca_file: Path | None) -> None:
        super().__init__()
        self._ca_file = ca_file

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """A request with the named CA, and never without a time-out."""
        kwargs.setdefault("timeout", TIMEOUT)
        if self._ca_file is not None:
            kwargs["verify"] = str(self._ca_file)
        return super().request(*args, **kwargs)
