"""The application: the routes, and the layers that a call passes on its way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from target_dotdigital.sandbox.api import API_ROUTES, CONTROL_ROUTES, SingleContacts
from target_dotdigital.sandbox.faults import ArmedFaults, FaultMiddleware, RateLimitMiddleware
from target_dotdigital.sandbox.http import (
    EXCEPTION_HANDLERS,
    AuthenticationMiddleware,
    OriginMiddleware,
    RouteTable,
    ServerErrorMiddleware,
)
from target_dotdigital.sandbox.imports import Intake
from target_dotdigital.sandbox.page import (
    PAGE_ROUTES,
    AccessLog,
    AccessLogMiddleware,
    ImportViews,
)

if TYPE_CHECKING:
    from target_dotdigital.sandbox.imports import Slots
    from target_dotdigital.sandbox.options import Options
    from target_dotdigital.sandbox.removals import RemovalQueue
    from target_dotdigital.sandbox.storage import Store

ROUTES = (*CONTROL_ROUTES, *API_ROUTES, *PAGE_ROUTES)


def create_app(store: Store, slots: Slots, removals: RemovalQueue, options: Options) -> Starlette:
    """Build the application.

    Args:
        store: The database.
        slots: Where accepted imports go.
        removals: Where accepted removals go.
        options: What the sandbox is started with.
    """
    routes = RouteTable(API_ROUTES)
    faults = ArmedFaults(routes, options.faults)
    log = AccessLog()
    app = Starlette(
        routes=ROUTES,
        middleware=_middleware(routes, faults, log, options),
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.router.redirect_slashes = False
    app.state.store = store
    app.state.switches = options.switches
    app.state.faults = faults
    app.state.address_books = options.address_books
    app.state.suppressed = options.suppressed
    app.state.imports = Intake(store, slots, options.switches)
    app.state.removals = removals
    app.state.single_contacts = SingleContacts(store, options.switches)
    app.state.access_log = log
    app.state.import_views = ImportViews()
    return app


def _middleware(
    routes: RouteTable, faults: ArmedFaults, log: AccessLog, options: Options
) -> list[Middleware]:
    """Return the layers, the outermost first."""
    return [
        Middleware(AccessLogMiddleware, log=log, routes=ROUTES, unlogged=PAGE_ROUTES),
        Middleware(ServerErrorMiddleware),
        Middleware(OriginMiddleware, host=options.host, names=options.allowed_hosts),
        Middleware(AuthenticationMiddleware, credentials=options.credentials),
        Middleware(
            RateLimitMiddleware,
            limits=options.rate_limits,
            routes=routes,
            switches=options.switches,
            clock=options.clock,
        ),
        Middleware(FaultMiddleware, faults=faults, routes=routes),
    ]
