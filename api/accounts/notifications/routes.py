"""What you should know, also while your shop is closed."""

from typing import Annotated

from fastapi import Path, Query

from api.accounts.notifications.schemas import NotificationOut, NotificationsOut, ReadIn, ReadOut
from api.dependencies.actors import CurrentAccount
from api.dependencies.services_accounts import TheNotifications
from api.dependencies.sessions import Platform
from api.pages import Cursor, PageSize, id_cursor, read_id_cursor
from api.policies import Policy, guarded_router
from api.problems import problems
from services.accounts.notifications.reading import NotificationNotFound
from shared.errors import BadInput

notifications = guarded_router("/notifications", policy=Policy.SIGNED_IN, tag="notifications")

ROUTERS = (notifications,)


@notifications.get("", responses=problems(BadInput))
def list_notifications(
    actor: CurrentAccount,
    session: Platform,
    service: TheNotifications,
    unread: Annotated[bool, Query(description="Only what you have not read.")] = False,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> NotificationsOut:
    """Newest first. What was read is kept for 90 days."""
    page = service.page(session, actor.user_id, read_id_cursor(cursor), limit, unread=unread)
    return NotificationsOut(
        items=[NotificationOut.of(each) for each in page.items],
        next_cursor=id_cursor(page.items[-1].id) if page.more else None,
        unread=page.unread,
    )


@notifications.put("/{notification_id}/read", responses=problems(BadInput, NotificationNotFound))
def read_notification(
    notification_id: Annotated[int, Path(gt=0, lt=2**63)],
    actor: CurrentAccount,
    session: Platform,
    service: TheNotifications,
) -> NotificationOut:
    """Mark one as read; again changes nothing."""
    return NotificationOut.of(service.read_one(session, actor.user_id, notification_id))


@notifications.put("/read", responses=problems(BadInput, NotificationNotFound))
def read_notifications(
    body: ReadIn, actor: CurrentAccount, session: Platform, service: TheNotifications
) -> ReadOut:
    """Mark everything up to one as read; what came after it stays unread."""
    marked, unread = service.read_all(session, actor.user_id, body.up_to)
    return ReadOut(marked=marked, unread=unread)
