"""The second wall between merchants: PostgreSQL itself shows a request or a task the rows of one merchant.

The first wall is that every look-up says for whom (`merchant.access`). Behind it every statement of a request
or a task runs as a role below row-level security, so that a forgotten filter finds nothing of others:

- `nobody`: no row of any merchant, which is where every request and task begins,
- `only`, `only_of`: those of one merchant,
- `lifted`: all, for the few that look over all merchants or have to find out whose turn it is.

Outside of requests and tasks (commands, migrations, a shell) nothing is walled off; processes that serve
requests or tasks call `close`, so that there is no such outside in them, not even in their threads.
See docs/decisions/008-the-database-is-the-second-wall.md.
"""

from merchant.walls.scopes import close, kept, lifted, nobody, only, only_of, own_rows
from merchant.walls.statements import copying

__all__ = ["close", "copying", "kept", "lifted", "nobody", "only", "only_of", "own_rows"]
