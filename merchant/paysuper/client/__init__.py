"""PaySuper's Management API as a merchant's user sees it (contract §1-§12, §18).

`api` has a method per endpoint, `calls` knows when to ask again, `tokens` who we are, and `wire` how long
we wait.
"""

from merchant.paysuper.client.api import PAGE_SIZE, PREFIX, Client, Page
from merchant.paysuper.client.calls import Circuit
from merchant.paysuper.client.dates import GENERATIONS
from merchant.paysuper.client.sandboxed import SandboxClient
from merchant.paysuper.client.tokens import AccessToken, Grant, renewed
from merchant.paysuper.client.wire import Patience

__all__ = [
    "GENERATIONS",
    "PAGE_SIZE",
    "PREFIX",
    "AccessToken",
    "Circuit",
    "Client",
    "Grant",
    "Page",
    "Patience",
    "SandboxClient",
    "renewed",
]
