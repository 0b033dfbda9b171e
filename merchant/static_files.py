"""Where the pages' own files lie."""

import functools

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Whitenoise's, which looks each address up once: a page has thirty, and they never change."""

    @functools.cached_property
    def url(self) -> "functools._lru_cache_wrapper[str]":
        """The address of a file by its name."""
        return functools.cache(super().url)
