"""Who may be told that a store is ready: a line for each person, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass

from brandmind.services.answers import Reader


@dataclass(frozen=True)
class ReaderView:
    """A person who may get the mail; `closed`: not for this viewer to change."""

    user_id: str = ""
    name: str = ""
    note: str = ""
    told: bool = False
    closed: bool = False


def reader_line(one: Reader, *, role: str, user_id: str) -> ReaderView:
    """A person as the viewer of this role and number sees them: the owner says so for all, a
    member for themselves."""
    mine = one.user_id == user_id
    note = "Owner" if one.role == "owner" else "Member"
    if not one.reachable:
        note += ", no mail address is known"
    return ReaderView(
        user_id=one.user_id,
        name=f"{one.name} (you)" if mine else one.name,
        note=note,
        told=one.told,
        closed=role != "owner" and not mine,
    )
