from __future__ import annotations

from placed.domain.rate_limit import RateLimit


class LimitSetup:
    """A limit of 60 requests a minute, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.limit = RateLimit(lambda: self.moment)

    def requests(self, number: int, key: str = "people") -> list[float]:
        return [self.limit.wait(key, 60) for _ in range(number)]


def test_as_many_requests_as_the_limit_are_taken_at_once() -> None:
    setup = LimitSetup()
    assert setup.requests(60) == [0.0] * 60
    assert setup.requests(1) == [1.0]


def test_a_request_is_taken_after_the_time_that_was_named() -> None:
    setup = LimitSetup()
    setup.requests(60)
    setup.moment += 0.5
    (wait,) = setup.requests(1)
    assert wait == 0.5
    setup.moment += wait
    assert setup.requests(2) == [0.0, 1.0]


def test_refused_requests_do_not_count() -> None:
    setup = LimitSetup()
    setup.requests(500)
    setup.moment += 60
    assert setup.requests(61) == [0.0] * 60 + [1.0]


def test_each_key_has_a_limit_of_its_own() -> None:
    setup = LimitSetup()
    setup.requests(61)
    assert setup.requests(1, key="other") == [0.0]


def test_a_limit_that_was_made_smaller_counts_at_once() -> None:
    setup = LimitSetup()
    setup.requests(1)
    assert [setup.limit.wait("people", 2) for _ in range(3)] == [0.0, 0.0, 30.0]
