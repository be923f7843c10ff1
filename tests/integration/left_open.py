"""Two handlers as a careless hand would write them: one marked for everybody, one not at all."""

from __future__ import annotations

import reflex as rx
import sqlalchemy as sa

from brandmind import runtime
from brandmind.state.guard import public


class LeftOpen(rx.State):
    """Tells and changes what is nobody's business."""

    told: str = ""

    @rx.event
    @public
    async def tell(self) -> None:
        """Says the name of every store, and renames them."""
        await self._do()

    @rx.event
    async def unmarked(self) -> None:
        """The same, without a mark."""
        await self._do()

    async def _do(self) -> None:
        def rename(session) -> str:  # type: ignore[no-untyped-def]
            names = session.execute(sa.text("SELECT name FROM store")).scalars().all()
            session.execute(sa.text("UPDATE store SET name = name || '!'"))
            return ", ".join(names)

        self.told = await runtime.get().db.write(rename)
