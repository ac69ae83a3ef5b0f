"""The page: what is in the account and what goes on, to look at in a browser."""

from target_dotdigital.sandbox.page.access_log import AccessLog, AccessLogMiddleware
from target_dotdigital.sandbox.page.imports import ImportViews
from target_dotdigital.sandbox.page.routes import PAGE_ROUTES

__all__ = ["PAGE_ROUTES", "AccessLog", "AccessLogMiddleware", "ImportViews"]
