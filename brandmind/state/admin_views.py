"""What the admin page shows: frozen, flat, in words."""

from __future__ import annotations

from dataclasses import dataclass, field

from brandmind.state.views import LinkView


@dataclass(frozen=True)
class TileView:
    """A figure of the installation. `tone`: "", amber or red; `note` says what it is made of."""

    name: str = ""
    value: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class PartView:
    """A part of the ground or a worker. `icon`: done, gap or failed."""

    name: str = ""
    icon: str = "done"
    word: str = ""
    detail: str = ""


@dataclass(frozen=True)
class ShopLineView:
    """A store's row. `icon` as a stage's."""

    domain: str = ""
    href: str = ""
    icon: str = "done"
    state: str = ""
    progress: str = ""
    synced: str = ""
    synced_title: str = ""
    attempts: str = ""
    error: str = ""
    next: str = ""
    inbox: str = ""
    wrong: bool = False


@dataclass(frozen=True)
class LackView:
    """A store and the topics it gets no webhooks for, or a delivery that lies aside."""

    name: str = ""
    href: str = ""
    what: str = ""
    why: str = ""


@dataclass(frozen=True)
class RunStageView:
    """A stage of a run."""

    label: str = ""
    icon: str = "queued"
    state: str = ""
    count: str = ""
    attempts: str = ""
    took: str = ""


@dataclass(frozen=True)
class RunView:
    """A run of the store that is open."""

    title: str = ""
    icon: str = "queued"
    said: str = ""
    error: str = ""
    facts: str = ""
    stages: tuple[RunStageView, ...] = ()


@dataclass(frozen=True)
class EventView:
    """Something that happened to a run."""

    at: str = ""
    at_title: str = ""
    name: str = ""
    stage: str = ""
    count: str = ""
    detail: str = ""


@dataclass(frozen=True)
class ShopView:
    """The one store that is open. `can_…`: what may be done with it now."""

    there: bool = False
    missing: bool = False
    domain: str = ""
    icon: str = "done"
    headline: str = ""
    lead: str = ""
    back_href: str = ""
    can_retry: bool = False
    can_start_over: bool = False
    can_stop: bool = False
    can_pause: bool = False
    can_resume: bool = False
    can_read_again: bool = False
    replay_label: str = ""
    lacks: str = ""
    runs: tuple[RunView, ...] = ()
    events: tuple[EventView, ...] = ()
    aside: tuple[LackView, ...] = ()


@dataclass(frozen=True)
class AdminView:
    """The page of the installation. `broken`: why there is no more to show than its ground."""

    there: bool = False
    headline: str = ""
    broken: str = ""
    tiles: tuple[TileView, ...] = ()
    parts: tuple[PartView, ...] = ()
    workers: tuple[PartView, ...] = ()
    no_workers: str = ""
    filters: tuple[LinkView, ...] = ()
    shops: tuple[ShopLineView, ...] = ()
    none: str = ""
    tally: str = ""
    before: str = ""
    after: str = ""
    lacking: tuple[LackView, ...] = ()
    retry_label: str = ""
    retry_said: str = ""
    replay_label: str = ""
    replay_said: str = ""
    shop: ShopView = field(default_factory=ShopView)
