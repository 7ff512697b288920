"""A file's name describes its contents, so no two files of `placed` or of a driver share one."""

from __future__ import annotations

from collections import defaultdict

from tests.architecture.import_graph import modules

# Files of one name, by the role that they play in each of these folders.
ROLES = {
    ("placed", "errors"): {"driver", "http"},  # what can go wrong in that folder
    ("placed", "rooms"): {"cli", "http.api"},  # a command and an endpoint, as users type them
    ("placed", "sensors"): {"cli", "http.api"},  # the same
    ("placed", "connections"): {"http.api", "runtime"},  # the endpoint, and what it shows
    ("placed_microsoft365", "service"): {  # one simulated service each: a request in, a reply out
        "simulator.control",
        "simulator.graph",
        "simulator.login",
    },
}


def test_no_two_files_have_one_name_unless_they_play_the_same_role() -> None:
    folders: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for module, path in modules().items():
        if path.stem not in ("__init__", "__main__"):
            top, *between, name = module.split(".")
            folders[top, name].add(".".join(between))
    shared = {key: where for key, where in folders.items() if len(where) > 1}
    assert {key: where for key, where in shared.items() if not where <= ROLES.get(key, set())} == {}
