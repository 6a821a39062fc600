"""The HTTP API and the built pages; they only ask the store."""

from casawatt.web.application import create_app
from casawatt.web.guard import check_binding
from casawatt.web.server import running_server

__all__ = ["check_binding", "create_app", "running_server"]
