"""Caches the access token: renews it early, drops it after a refusal, and limits the rate of sign-ins."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from placed.driver.errors import DriverError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TIMEOUT = 45.0  # seconds for a sign-in, which is two requests
_EARLY = 300.0  # seconds before its end at which a token is renewed
_AGAIN = 60.0  # seconds between two attempts of a renewal, and between two tokens that are dropped
_RETRY = 2.0  # seconds after which a failed sign-in is repeated, if the failure is temporary
_RETRY_REFUSED = 30.0  # the same, if a person has to fix the cause
_GRANTS_HOLD = 300.0  # seconds after which a token may be renewed because its grants are in doubt


@dataclass(frozen=True, slots=True)
class _Token:
    """A token; the moments are seconds on the steady clock."""

    text: str = field(repr=False)
    issued_at: float
    renew_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    error: DriverError
    since: float
    until: float

    def holds(self, moment: float) -> bool:
        """Returns whether the sign-in must not be repeated yet."""
        return self.since <= moment < self.until


class TokenCache:
    """Provides the access token of one account.

    Args:
        sign_in: returns a new token and its lifetime in seconds.
        steady: seconds of a monotonic clock, so that setting the machine's clock causes no sign-in.
    """

    def __init__(
        self, sign_in: Callable[[], Awaitable[tuple[str, float]]], steady: Callable[[], float]
    ) -> None:
        self._sign_in = sign_in
        self._steady = steady
        self._token: _Token | None = None
        self.issued = 0  # how many tokens were issued so far
        self._failure: _Failure | None = None
        self._dropped_at: float | None = None
        self._doubted = False
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """Returns a valid token.

        Raises:
            DriverError: the sign-in failed.
        """
        kept = self._good()
        if kept is not None and self._lock.locked():
            return kept.text  # another task renews it; the current one is still valid
        async with self._lock:
            kept, moment = self._good(), self._moment()
            if kept is not None and moment < kept.renew_at and not self._outdated(kept, moment):
                return kept.text
            if self._failure is not None and self._failure.holds(moment):
                raise self._failure.error.with_traceback(None)
            try:
                self._token = await self._new(moment)
                self._doubted = False
            except DriverError as error:
                kept = self._good()
                if kept is None:
                    self._remember(error)
                    raise
                # While the old token is valid, an unreachable login host is not an error.
                self._token = replace(kept, renew_at=self._moment() + _AGAIN)
            return self._token.text

    def refused(self, token: str) -> bool:
        """Notes that the service refused this token; returns whether the next one will be another.

        If the new token is refused as well, the token is not the cause, and it is kept for a minute.
        """
        if self._token is None or token != self._token.text:
            return True
        moment = self._moment()
        if self._dropped_at is not None and 0 <= moment - self._dropped_at < _AGAIN:
            return False
        self._token, self._dropped_at = None, moment
        return True

    @property
    def latest(self) -> str | None:
        """The cached token, for its claims; it may have expired."""
        return self._token.text if self._token is not None else None

    def suspect_grants(self) -> None:
        """Notes that nothing can be read with the token; it is renewed once it is a few minutes old.

        A token lists the grants at its time of issue, and consent may have been given since then.
        """
        self._doubted = True

    def take_over(self, earlier: TokenCache) -> None:
        """Continues with the token of another cache for the same account.

        A token whose grants are in doubt is not taken over: a new one may list newer grants.
        """
        if self._token is None and not earlier._doubted:
            self._token = earlier._good()

    def drop(self) -> None:
        """Drops the token after readable rooms are refused; a new one shows whether consent holds."""
        self._token = None

    def _outdated(self, token: _Token, moment: float) -> bool:
        return self._doubted and not 0 <= moment - token.issued_at < _GRANTS_HOLD

    async def _new(self, moment: float) -> _Token:
        try:
            async with asyncio.timeout(TIMEOUT):
                text, lifetime = await self._sign_in()
        except TimeoutError:
            raise Unavailable("the login host takes too long") from None
        self.issued += 1
        early = min(_EARLY, lifetime / 2)
        return _Token(text, moment, moment + lifetime - early, moment + lifetime)

    def _good(self) -> _Token | None:
        return self._token if self._token is not None and self._moment() < self._token.ends_at else None

    def _remember(self, error: DriverError) -> None:
        healed_by_time = isinstance(error, Unavailable)
        asked = error.problem.retry_after
        rest = asked if asked is not None else _RETRY
        moment = self._moment()
        self._failure = _Failure(error, moment, moment + (rest if healed_by_time else _RETRY_REFUSED))

    def _moment(self) -> float:
        return self._steady()
