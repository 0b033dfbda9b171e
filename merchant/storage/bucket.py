"""Files in a bucket of S3: sent and read a piece at a time, never a whole one in memory."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

_PIECE = 8 * 1024 * 1024


class Bucket(S3Storage):
    """A private bucket, or a folder in one. What goes wrong there is an OSError, as with a disk."""

    def get_default_settings(self) -> dict[str, Any]:
        """Patience, pieces and signatures that suit S3 and those who speak it too."""
        return {
            **super().get_default_settings(),
            "file_overwrite": False,
            # One piece at a time: ten at once would be eighty megabytes.
            "transfer_config": TransferConfig(
                multipart_threshold=_PIECE, multipart_chunksize=_PIECE, use_threads=False
            ),
            "client_config": Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "total_max_attempts": 3},
                signature_version="s3v4",
                # Others than Amazon do not know the newer sums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        }

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        with _as_disk():
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        """Delete the file if it is there."""
        with _as_disk():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files."""
        with _as_disk():
            folders, files = super().listdir(path)
        return folders, files

    def get_modified_time(self, name: str) -> dt.datetime:
        """When the file was put there."""
        with _as_disk():
            at: dt.datetime = super().get_modified_time(name)
        return at

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":  # noqa: ARG002
        with _as_disk():
            # The body of the answer is read as far as somebody asks; the library would first fetch it all.
            return File(self.bucket.Object(self._normalize_name(name)).get()["Body"], name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        with _as_disk():
            return str(super()._save(name, content))


@contextmanager
def _as_disk() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(str(error)) from error
        raise OSError(str(error)) from error
    except BotoCoreError as error:
        raise OSError(str(error)) from error
