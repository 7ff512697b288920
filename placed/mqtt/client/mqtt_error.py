"""The errors of a client. Each is about one connection, which is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.mqtt.client.reason_code import ReasonCode


class MqttError(Exception):
    """The connection could not be made, or is lost.

    Attributes:
        reason: the reason code that the broker gave, if any.

    The error of the socket, if there is one, is its cause.
    """

    def __init__(self, text: str, reason: ReasonCode | None = None) -> None:
        super().__init__(text)
        self.reason = reason

    def again(self) -> MqttError:
        """The same as a new error, since several tasks may raise it."""
        error = MqttError(str(self), self.reason)
        error.__cause__ = self.__cause__
        return error


class ClosedBeforeConnack(MqttError):
    """The broker closed the connection before it sent a CONNACK."""


def complete(codes: Sequence[ReasonCode], filters: int) -> Sequence[ReasonCode]:
    """Returns the codes of a SUBACK.

    Raises:
        MqttError: there is not one for each topic filter.
    """
    if len(codes) != filters:
        raise MqttError(f"the broker answers {len(codes)} of {filters} topic filters")
    return codes
