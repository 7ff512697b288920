"""JSON of whatever kind, for a service that has gone mad."""

from __future__ import annotations

import json

from hypothesis import strategies as st

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["free", "declined", "9999-12-31T23:59:59", "0001-01-01T00:00:00", "24:00", "1e400"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()
