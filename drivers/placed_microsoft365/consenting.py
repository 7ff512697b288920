"""Consent of the tenant's administrator: where it is given, what the answer means, whether it is in effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import Consent, ConsentAnswer, GrantProbe, Letter, Permission, Propagation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed.driver import ConsentRequest, Surroundings
    from placed_microsoft365.settings import Microsoft365Settings


def permissions(settings: Microsoft365Settings) -> Sequence[Permission]:
    raise KeyError(settings)


def propagation(settings: Microsoft365Settings) -> Propagation:
    raise KeyError(settings)


def consent_url(settings: Microsoft365Settings, redirect_uri: str, state: str) -> str:
    return f"{settings} {redirect_uri} {state}"


async def judge(
    settings: Microsoft365Settings, surroundings: Surroundings, answer: Mapping[str, str]
) -> ConsentAnswer:
    return ConsentAnswer(Consent.UNKNOWN, f"{settings} {surroundings} {answer}")


def letter(settings: Microsoft365Settings, asked: ConsentRequest, url: str) -> Letter:
    raise KeyError(settings, asked, url)


async def probe(settings: Microsoft365Settings, surroundings: Surroundings) -> GrantProbe:
    return GrantProbe(effective=False, said=f"{settings} {surroundings}")


def revocation(settings: Microsoft365Settings) -> Sequence[str]:
    raise KeyError(settings)
