"""Tasks begin behind the wall: each says whose rows it is about."""

from typing import Any

from celery import Task

from merchant.walls import scopes


class WalledTask(Task):  # type: ignore[misc]
    """A task that sees nobody's rows until it says whose."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run, in a worker or at a direct call."""
        with scopes.nobody():
            return self.run(*args, **kwargs)
