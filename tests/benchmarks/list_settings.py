"""The product's settings with Django's admin and the addresses of `list_server`."""

from merchant.settings import *  # noqa: F403 - the same settings are the point
from merchant.settings import INSTALLED_APPS, STORAGES

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]
ROOT_URLCONF = "tests.benchmarks.list_server"
# The admin's files are not among those that have been collected; nobody asks for them here.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
