"""Held opt-outs: many contacts are looked at as each alone would be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from target_dotdigital.mapping.contacts import Contact, HeldOptOuts, OwnSource

_NAMES = [f"email:{name}@example.com" for name in ("ann", "bob", "eve")]
_CONTACTS = st.lists(
    st.builds(
        Contact,
        key=st.sampled_from(_NAMES),
        other_identities=st.sampled_from([(), ("mobileNumber:1",), ("mobileNumber:2", "shop:a")]),
        source=st.just(OwnSource(b"{}")),
    ),
    max_size=4,
)
_CHANNELS = st.lists(
    st.sampled_from([(), ("email",), ("sms",), ("email", "sms")]), min_size=4, max_size=4
)


@given(_CONTACTS, _CHANNELS, st.lists(st.booleans(), min_size=4, max_size=4), _CONTACTS, _CHANNELS)
def test_whoever_has_opted_out_in_another_row_is_concerned(
    earlier: list[Contact],
    held: list[tuple[str, ...]],
    left_out: list[bool],
    contacts: list[Contact],
    channels: list[tuple[str, ...]],
) -> None:
    opt_outs = HeldOptOuts()
    before = len(earlier)
    opt_outs.add_all(earlier, held[:before], left_out[:before])
    known = [
        each
        for each, own, is_left_out in zip(earlier, held, left_out, strict=False)
        if own or is_left_out
    ]
    opted_out = channels[: len(contacts)]
    opting = [each for each, own in zip(contacts, opted_out, strict=True) if own]
    assert opt_outs.concerned(contacts, opted_out) == [
        any(
            not set(other.identities).isdisjoint(each.identities)
            for other in (*known, *opting)
            if other is not each
        )
        for each in contacts
    ]
    for name in ("email", "sms"):
        rows = [each for each, own in zip(earlier, held, strict=False) if name in own]
        for each in contacts:
            found, _ = opt_outs.hold(each.identities, (), is_left_out=False)
            shares = any(not set(row.identities).isdisjoint(each.identities) for row in rows)
            assert (name in found) == shares
