"""Where export files are kept, from the one address that says it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import url2pathname

from django.core.exceptions import ImproperlyConfigured

_FOLDER = "django.core.files.storage.FileSystemStorage"
_BUCKET = "merchant.storage.bucket.Bucket"
_WORDS = (
    "EXPORT_STORAGE_URL must be a file:/// address of a folder, or "
    "s3://KEY:SECRET@bucket/folder?region=…&endpoint=https://…, of which all but the bucket may be left out."
)


def configured(address: str) -> dict[str, Any]:
    """What Django's STORAGES needs for this address. Raises ImproperlyConfigured, without naming secrets.

    Without a key the usual places are looked into: AWS_ACCESS_KEY_ID, or the role of the machine. An
    endpoint is that of another maker's S3.
    """
    parts = urlsplit(address)
    if parts.scheme == "file" and address.startswith("file:///"):
        return {"BACKEND": _FOLDER, "OPTIONS": {"location": url2pathname(parts.path), "base_url": None}}
    if parts.scheme != "s3" or not parts.hostname:
        raise ImproperlyConfigured(_WORDS)
    options = {"bucket_name": parts.hostname, "location": parts.path.strip("/")}
    if bool(parts.username) != bool(parts.password):
        raise ImproperlyConfigured(_WORDS)
    if parts.username and parts.password:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password)}
    return {"BACKEND": _BUCKET, "OPTIONS": options | dict(_asked(parts.query))}


def _asked(query: str) -> Iterator[tuple[str, str]]:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "region" and value:
            yield "region_name", value
        elif name == "endpoint" and value.startswith(("http://", "https://")):
            yield "endpoint_url", value
        else:
            raise ImproperlyConfigured(_WORDS)
