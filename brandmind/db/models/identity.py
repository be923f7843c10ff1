"""Who is who: people, their memberships of stores, their sessions and sign-ins under way."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from brandmind.db.types import Key, UtcDateTime


class UserRow(SQLModel, table=True):
    """A person, known by (shop, Shopify's user id); never by e-mail, which anybody can set."""

    __tablename__ = "app_user"
    __table_args__ = (sa.UniqueConstraint("home_shop_id", "shopify_user_id"),)

    user_id: str = Field(primary_key=True, sa_type=Key)
    # Null for people whom an operator added by hand: they sign in by one-time links.
    home_shop_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    shopify_user_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    name: str
    email: str | None = None
    admin: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)


class MembershipRow(SQLModel, table=True):
    """A person's place in a store. `scopes`: what Shopify lets this person see, comma list."""

    __tablename__ = "membership"

    store_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("store.store_id"), primary_key=True)
    )
    user_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("app_user.user_id"), primary_key=True, index=True)
    )
    role: str = "member"
    scopes: str = ""
    blocked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # Whether they get the letter that the store is ready; None: the owner does, others do not.
    told_ready: bool | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class SessionRow(SQLModel, table=True):
    """One signed-in browser; only the hash of its cookie is kept."""

    __tablename__ = "session"

    session_id: str = Field(primary_key=True, sa_type=Key)
    token_hash: str = Field(unique=True)
    user_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("app_user.user_id"), nullable=False, index=True)
    )
    last_store_id: str | None = Field(default=None, sa_type=Key)
    user_agent: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SessionStoreRow(SQLModel, table=True):
    """A store whose person leg was passed in this browser: only these does a session open."""

    __tablename__ = "session_store"

    session_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("session.session_id"), primary_key=True)
    )
    store_id: str = Field(
        sa_column=sa.Column(Key, sa.ForeignKey("store.store_id"), primary_key=True)
    )
    # The person as this store's Shopify knows them: one session may hold several.
    user_id: str = Field(sa_type=Key)
    passed_at: datetime = Field(sa_type=UtcDateTime)


class OauthFlowRow(SQLModel, table=True):
    """A sign-in under way: consumed once, by its state's hash."""

    __tablename__ = "oauth_flow"

    state_hash: str = Field(primary_key=True)
    shop: str
    leg: str
    binding_hash: str
    # The session that goes on after the person leg, so that a second store joins it.
    session_id: str | None = Field(default=None, sa_type=Key)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class SignInLinkRow(SQLModel, table=True):
    """A one-time sign-in link an operator made."""

    __tablename__ = "sign_in_link"

    token_hash: str = Field(primary_key=True)
    user_id: str = Field(sa_type=Key)
    store_id: str = Field(sa_type=Key)
    expires_at: datetime = Field(sa_type=UtcDateTime)
