"""The time that answers show: what is reported of it, and what a TLS certificate out of its time means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from placed.driver import Refused, ServiceTime, Unavailable
from placed.driver.network.service_clock import ServiceClock, date_in
from placed.driver.network.tls_and_proxy import not_trusted

NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)
HOST = "https://login.example"


@pytest.mark.parametrize(
    ("headers", "moment"),
    [
        ({"Date": "Tue, 06 Oct 2026 12:00:00 GMT"}, NOON),
        ({"Date": "Tue, 06 Oct 2026 12:00:00 GMT", "Age": "0"}, NOON),
        ({"Date": "Tue, 06 Oct 2026 12:00:00 GMT", "Age": "300"}, None),
        ({"Date": "Tue, 06 Oct 2026 12:00:00 GMT", "Age": "nonsense"}, None),
        ({"Date": "Tue, 06 Oct 2026 12:00:00"}, None),
        ({"Date": "Tue, 06 Oct 2026 12:00:00 -0000"}, None),
        ({"Date": "Tuesday, 06-Oct-26 12:00:00 GMT"}, None),
        ({"Date": "Tue, 36 Oct 2026 12:00:00 GMT"}, None),
        ({"Date": "Tue, 06 Xyz 2026 12:00:00 GMT"}, None),
        ({"Date": "soon"}, None),
        ({"Date": ""}, None),
        ({}, None),
    ],
)
def test_only_a_date_that_is_one_shows_the_time(headers: dict[str, str], moment: datetime | None) -> None:
    assert date_in(headers) == moment


def test_the_service_time_is_reported_with_the_time_of_the_request() -> None:
    reported: list[ServiceTime] = []
    clock = ServiceClock(lambda: NOON, lambda: 12.0, reported.append)
    clock.answered({"Date": "Tue, 06 Oct 2026 12:00:00 GMT"}, 10.0)
    clock.answered({"Date": "soon"}, 11.0)
    assert reported == [ServiceTime(NOON, 10.0, 12.0)]


@pytest.mark.parametrize(
    ("error", "output"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate is not yet valid", "is not valid yet"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired", "has expired"),
    ],
)
def test_a_certificate_out_of_its_time_may_be_this_machines_clock(error: str, output: str) -> None:
    problem = not_trusted(HOST, error, NOON)
    assert isinstance(problem, Unavailable)
    assert str(problem) == (f"the TLS certificate of {HOST} {output}; this machine's clock shows 2026-10-06")
    assert "timedatectl" in problem.problem.remedy


def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    assert isinstance(not_trusted(HOST, "unable to get local issuer certificate", NOON), Refused)
