"""Whether a file is one of ours, and which export a control code belongs to."""

import hashlib
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.db.models import QuerySet

from merchant.models import Membership
from transactions.exports import control
from transactions.models import Export

LARGEST = 1024**3


class Fingerprint(FileUploadHandler):
    """Takes the SHA-256 of an uploaded file as it comes in, and keeps nothing of it.

    `sha256` is "" while no file has come. One of more than LARGEST bytes is `too_large` and has none.
    """

    sha256 = ""
    too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._hash, self._size = hashlib.sha256(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 - Django's signature
        """Add a piece."""
        self._size += len(raw_data)
        if self._size > LARGEST:
            self.too_large = True
            raise StopUpload
        self._hash.update(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Finish; no file is handed on. An empty one is none: that is what an empty field sends."""
        if file_size:
            self.sha256 = self._hash.hexdigest()


def by_sha256(membership: Membership, sha256: str) -> QuerySet[Export]:
    """The merchant's exports whose file was, byte for byte, the one with this SHA-256; newest first."""
    return Export.objects.filter(merchant=membership.merchant_id, sha256=sha256).exclude(sha256="")


def by_code(membership: Membership, text: str) -> QuerySet[Export]:
    """The merchant's exports with the control code that somebody typed; newest first."""
    found = control.read(text)
    return Export.objects.filter(merchant=membership.merchant_id, control=found).exclude(control="")
