"""One call of the administrator's console."""

from __future__ import annotations

from placed_google.simulator.workspace.workspace import Workspace
from placed_simulator.control_call import ControlCall

Call = ControlCall[Workspace]
"""A call that plays a Workspace."""
