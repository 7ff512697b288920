"""The message with which somebody who is no administrator asks one for consent.

Sources: Microsoft, "Grant tenant-wide admin consent to an application" (who may: a Privileged Role
Administrator, since these are Graph's application permissions) and "Configure the admin consent workflow"
(the page of settings, and the words on it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import Letter
from placed_microsoft365.auth.application_permissions import CALENDARS_READ, to_consent
from placed_microsoft365.clouds import Cloud
from placed_microsoft365.consent.message_format import (
    Block,
    Facts,
    Heading,
    Items,
    Link,
    Paragraph,
    as_html,
    as_text,
)
from placed_microsoft365.consent.request import granted_elsewhere, permissions

if TYPE_CHECKING:
    from placed.driver import ConsentRequest
    from placed_microsoft365.settings import Microsoft365Settings

_ADMIN_CENTERS = {
    Cloud.WORLDWIDE: "https://entra.microsoft.com",
    Cloud.USGOV: "https://entra.microsoft.us",
    Cloud.USGOV_DOD: "https://entra.microsoft.us",
    Cloud.CHINA: "https://entra.microsoftonline.cn",
}
_CONSENT_SETTINGS = "/#view/Microsoft_AAD_IAM/ConsentPoliciesMenuBlade/~/AdminConsentSettings"
_LONGEST_IN_ENTRA = 60  # days
_FENCE = (
    f"In Entra {CALENDARS_READ} is for every mailbox. What limits it to the rooms is the fence, an "
    "application access policy in Exchange: it should be there before consent is given. `placed setup` "
    "writes the script for it, and placed tries mailboxes outside of it, which must be refused."
)
_LOCALHOST = (
    "At the end the browser opens http://localhost, where nothing answers on another machine. The error "
    "that it shows then is expected; your answer was recorded."
)
_WORKFLOW = (
    "This message does not need it. Users can request consent at the consent page, and reviewers get a "
    "mail, if a Global Administrator has switched this on: Microsoft Entra admin center > Entra ID > "
    "Enterprise apps > Consent and permissions > Admin consent settings (in older menus Identity > "
    "Applications > Enterprise applications > ...)."
)
_REVIEWERS = (
    "users, groups or roles; to approve these permissions a reviewer has to be a Privileged Role "
    "Administrator or Global Administrator as well"
)


def letter(settings: Microsoft365Settings, asked: ConsentRequest, url: str) -> Letter:
    """See `placed.driver.ConsentFlow.letter`."""
    subject = f"Request for consent: placed, for the meeting rooms of {settings.tenant}"
    blocks = (
        *_what_is_asked(settings, asked),
        *_permissions(settings),
        *_how_to_answer(settings, url),
        *_settings_in_entra(settings, asked),
    )
    return Letter(subject, as_text(subject, blocks), as_html(subject, blocks))


def _what_is_asked(settings: Microsoft365Settings, asked: ConsentRequest) -> tuple[Block, ...]:
    return (
        Paragraph(
            "This asks an administrator to consent to what placed needs: a program on a server of this "
            "organisation that reads the calendars of room mailboxes and publishes which rooms are free."
        ),
        Facts(
            (
                ("Who asks", asked.who),
                ("Why", asked.because),
                (
                    "Application",
                    f"placed, connection {settings.name}, application (client) id {settings.client_id}",
                ),
                ("Tenant", settings.tenant),
                ("Asked on", f"{asked.asked_on:%Y-%m-%d}"),
                ("Lapses on", f"{asked.lapses_on:%Y-%m-%d}"),
            )
        ),
    )


def _permissions(settings: Microsoft365Settings) -> tuple[Block, ...]:
    elsewhere = granted_elsewhere(settings)
    return (
        Heading("Which permissions"),
        Paragraph("Application permissions of Microsoft Graph, and no other. None of them writes anything."),
        *(
            Facts((("Permission", found.name), ("It can", found.can), ("It cannot", found.cannot)))
            for found in permissions(settings)
        ),
        *((Paragraph(elsewhere),) if elsewhere else ()),
        *((Paragraph(_FENCE),) if CALENDARS_READ in to_consent(settings) else ()),
    )


def _how_to_answer(settings: Microsoft365Settings, url: str) -> tuple[Block, ...]:
    by_hand = (
        f"Without the link: {_ADMIN_CENTERS[settings.cloud]} > Entra ID > Enterprise apps > All applications "
        f"> the application with the id {settings.client_id} > Permissions > Grant admin consent."
    )
    return (
        Heading("To accept or decline"),
        Paragraph("Open this link as a Privileged Role Administrator or Global Administrator of the tenant:"),
        Link(url),
        Items(
            (
                "Compare the permissions on that page with those above, then accept or cancel.",
                _LOCALHOST,
                by_hand,
                "You can revoke consent at any time, on that Permissions page.",
                "Please inform the person who asks of your decision; a refusal is not sent automatically.",
            )
        ),
    )


def _settings_in_entra(settings: Microsoft365Settings, asked: ConsentRequest) -> tuple[Block, ...]:
    days = max(1, min((asked.lapses_on - asked.asked_on).days, _LONGEST_IN_ENTRA))
    return (
        Heading("To allow such requests in Entra itself"),
        Paragraph(_WORKFLOW),
        Link(f"{_ADMIN_CENTERS[settings.cloud]}{_CONSENT_SETTINGS}"),
        Facts(
            (
                ("Users can request admin consent to apps they are unable to consent to", "Yes"),
                ("Who can review admin consent requests", _REVIEWERS),
                ("Selected users will receive email notifications for requests", "Yes"),
                ("Selected users will receive request expiration reminders", "Yes"),
                ("Consent request expires after (days)", f"{days} (1 to {_LONGEST_IN_ENTRA})"),
            )
        ),
        Paragraph("Save. It can take an hour until it is in effect."),
    )
