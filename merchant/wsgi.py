"""The WSGI application for gunicorn."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
application = get_wsgi_application()

from merchant import walls  # noqa: E402 - settings come first
from merchant.celery import app  # noqa: E402 - the same

walls.close()

# The web only rings the bell. A broker that hangs must not keep anybody waiting, PaySuper least of all.
app.conf.broker_transport_options |= {"socket_connect_timeout": 1, "socket_timeout": 2}

# The first request finds all pages imported, and the garbage collector leaves what stays for good alone:
# to look through it takes a tenth of a second now and then.
get_resolver().url_patterns  # noqa: B018 - reading it imports them
gc.collect()
gc.freeze()
