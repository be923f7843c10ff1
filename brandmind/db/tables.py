"""The tables as SQLAlchemy Core sees them, for statements that no object mapping helps."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from brandmind.db.models import METADATA

STORE: Final[sa.Table] = METADATA.tables["store"]
RUN: Final[sa.Table] = METADATA.tables["sync_run"]
STAGE: Final[sa.Table] = METADATA.tables["sync_stage"]
SLICE: Final[sa.Table] = METADATA.tables["sync_slice"]
EVENT: Final[sa.Table] = METADATA.tables["sync_event"]
REQUEST: Final[sa.Table] = METADATA.tables["sync_request"]
REJECT: Final[sa.Table] = METADATA.tables["reject"]
PROOF: Final[sa.Table] = METADATA.tables["proof"]
RESTRICTION: Final[sa.Table] = METADATA.tables["restriction"]
TOKEN: Final[sa.Table] = METADATA.tables["token"]
OUTBOX: Final[sa.Table] = METADATA.tables["outbox"]
TOMBSTONE: Final[sa.Table] = METADATA.tables["tombstone"]
PRODUCT: Final[sa.Table] = METADATA.tables["product"]
VARIANT: Final[sa.Table] = METADATA.tables["variant"]
ORDER: Final[sa.Table] = METADATA.tables["shop_order"]
LINE: Final[sa.Table] = METADATA.tables["order_line"]
SALE: Final[sa.Table] = METADATA.tables["order_sale"]
REFUND: Final[sa.Table] = METADATA.tables["order_refund"]
CUSTOMER: Final[sa.Table] = METADATA.tables["customer"]
DAILY_SALES: Final[sa.Table] = METADATA.tables["daily_sales"]
PRODUCT_SALES: Final[sa.Table] = METADATA.tables["product_sales"]
DIRTY_DAY: Final[sa.Table] = METADATA.tables["dirty_day"]
INBOX: Final[sa.Table] = METADATA.tables["inbox"]
LIVE: Final[sa.Table] = METADATA.tables["live"]
PRIVACY_ACT: Final[sa.Table] = METADATA.tables["privacy_act"]
DNA_RUN: Final[sa.Table] = METADATA.tables["dna_run"]
CUSTOMER_GROUP: Final[sa.Table] = METADATA.tables["customer_group"]
ACTION_MARK: Final[sa.Table] = METADATA.tables["action_mark"]
STOCK_DAY: Final[sa.Table] = METADATA.tables["stock_day"]
WORKER: Final[sa.Table] = METADATA.tables["worker"]
