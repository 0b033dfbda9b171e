"""The append-only file that lets a sandbox continue where it was, also after a kill."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from merchant.paysuper.sandbox.generation import History
from merchant.paysuper.sandbox.orders import Order, ProjectState, Refund, Webhook

# How the first line of every journal begins; a file with another beginning is left alone.
_BEGINNING = b'{"seed":'


class Change(Struct, omit_defaults=True):
    """Everything that one event put in place; one line, so that it happens wholly or not at all."""

    orders: list[Order] = []
    refunds: list[Refund] = []
    webhooks: list[Webhook] = []
    projects: dict[str, ProjectState] = {}


class JournalError(Exception):
    """The file exists, but it does not begin like a journal."""


class Journal:
    """One journal file, open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._drop_half_line()
        except JournalError:
            self.close()
            raise

    def _drop_half_line(self) -> None:
        written = self.path.read_bytes()
        if not written.startswith(_BEGINNING[: len(written)]):
            raise JournalError(f"{self.path} is not the journal of a sandbox")
        whole = written.rfind(b"\n") + 1
        if whole < len(written):
            os.ftruncate(self._file, whole)

    def history(self, wanted: History) -> History:
        """The history of the first line; a new file gets the wanted one."""
        with self.path.open("rb") as lines:
            first = lines.readline()
        if first:
            return msgspec.json.decode(first, type=History)
        self._append(msgspec.json.encode(wanted))
        return wanted

    def changes(self) -> Iterator[Change]:
        """All changes, oldest first."""
        decoder = msgspec.json.Decoder(Change)
        with self.path.open("rb") as lines:
            next(lines)
            for line in lines:
                yield decoder.decode(line)

    def write(self, change: Change) -> None:
        """Appends one change; in one call, so that a kill leaves at most one half line."""
        self._append(msgspec.json.encode(change))

    def _append(self, line: bytes) -> None:
        os.write(self._file, line + b"\n")

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)
