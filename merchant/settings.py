"""Settings, all from the environment. A missing secret or a bad value stops the start."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from merchant import logged, patient, safety, storage

env = environ.FileAwareEnv()
# An empty value is none: compose passes on as nothing what nobody has set.
env.ENVIRON = environ.FileAwareMapping({name: value for name, value in os.environ.items() if value})
BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="only-for-debugging" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to a long random text (or DEBUG=true to try things out).")
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
if not ENCRYPTION_KEYS:
    raise ImproperlyConfigured(
        "Set ENCRYPTION_KEYS to one or more Fernet keys, newest first, separated by commas."
    )

BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
if _unsafe := safety.troubles(
    debug=DEBUG,
    secret_key=SECRET_KEY,
    encryption_keys=ENCRYPTION_KEYS,
    base_url=BASE_URL,
    hosts=ALLOWED_HOSTS,
):
    raise ImproperlyConfigured(" ".join(_unsafe))
CSRF_TRUSTED_ORIGINS = [BASE_URL]
PAYSUPER_API_URL = env.str("PAYSUPER_API_URL", default="https://api.paysuper.example").rstrip("/")
# Merchants' own servers are called in the public internet only, and by HTTPS; true is for development.
ALLOW_PRIVATE_SERVERS = env.bool("ALLOW_PRIVATE_SERVERS", default=False)
# So is PaySuper, except where a dashboard that only its own machine reaches is tried out with a sandbox.
ALLOW_PRIVATE_PAYSUPER = env.bool(
    "ALLOW_PRIVATE_PAYSUPER", default=DEBUG or safety.is_own(urlsplit(BASE_URL).hostname or "")
)
ROOT_URLCONF = "merchant.urls"
WSGI_APPLICATION = "merchant.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "merchant",
    "transactions",
    "fulfillment",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "django_tables2",
]
MIDDLEWARE = [
    "merchant.middleware.behind_the_wall",
    "django.middleware.security.SecurityMiddleware",
    "merchant.middleware.permissions",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "merchant.middleware.known_methods",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "merchant.sessions.time_out",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "merchant.middleware.membership",
    "merchant.second_factor.asked_for",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "merchant.middleware.RequestLog",
    "merchant.middleware.remembered",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
FORM_RENDERER = "merchant.rendering.FormRenderer"

# Data ---------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL")}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured(
        "DATABASE_URL must be a PostgreSQL address: other engines add money as floats."
    )
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Such a cursor outlives its statement, which a pool that hands connections on between transactions does not
# allow. What reads a lot opens its own, inside of a transaction.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
# A copy of the database that follows it, and how many seconds behind it may be to be read.
REPLICA_URL = env.str("REPLICA_URL", default="")
REPLICA_MAX_LAG = env.float("REPLICA_MAX_LAG", default=10.0)
if REPLICA_URL:
    DATABASES["replica"] = patient.database(DATABASES["default"], environ.Env.db_url_config(REPLICA_URL))
    DATABASE_ROUTERS = ["merchant.replica.Router"]
    MIDDLEWARE.append("merchant.middleware.Replica")
# Seconds that a statement of the list may take before the page says that it takes too long.
LIST_STATEMENT_TIMEOUT = env.float("LIST_STATEMENT_TIMEOUT", default=3.0)
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # A cache that hangs is worse than none.
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
}

# Exports are private: they are stored outside of what the web server hands out by itself.
EXPORT_STORAGE_URL = env.str("EXPORT_STORAGE_URL", default=(BASE_DIR / ".data" / "exports").as_uri())
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "exports": storage.configured(EXPORT_STORAGE_URL),
    "staticfiles": {"BACKEND": "merchant.static_files.StaticFiles"},
}
EXPORT_PDF_CEILING = env.int("EXPORT_PDF_CEILING", default=20_000)
# Bytes up to which a schedule's mail carries its file; of larger ones it says where they are.
EXPORT_MAIL_ATTACHMENT = env.int("EXPORT_MAIL_ATTACHMENT", default=5 * 1024 * 1024)

# Days after which texts are dropped that tell of customers, where an owner has not said otherwise; 0: never.
RETENTION_WEBHOOK_DAYS = env.int("RETENTION_WEBHOOK_DAYS", default=365)
RETENTION_MAIL_DAYS = env.int("RETENTION_MAIL_DAYS", default=365)
RETENTION_CALL_DAYS = env.int("RETENTION_CALL_DAYS", default=90)

# People -------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "merchant.User"
AUTHENTICATION_BACKENDS = ["merchant.accounts.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "merchant.passwords.DisguisedPasswordValidator"},
]
ACCOUNT_FORMS = {"reset_password": "merchant.accounts.ForgottenPasswordForm"}
ACCOUNT_ADAPTER = "merchant.accounts.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
# Another address counts once its mailbox has confirmed it.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_RESET_TIMEOUT = 3600
MFA_ADAPTER = "merchant.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "activate_totp": "merchant.second_factor.AuthenticatorAppForm",
    "add_webauthn": "merchant.passkeys.AddForm",
    "login_webauthn": "merchant.passkeys.SignInForm",
    "authenticate_webauthn": "merchant.passkeys.SecondFactorForm",
    "reauthenticate_webauthn": "merchant.passkeys.AgainForm",
}
# Nobody signs up here with the address of somebody else.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "PaySuper dashboard"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "transactions:list"
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7)
# Seconds after which the password is asked for again before money moves.
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.int("REAUTHENTICATION_TIMEOUT", default=30 * 60)
# Somebody who does nothing is signed out after the one, everybody after the other.
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=2 * 3600)
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=12 * 3600)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
# How many proxies stand before us; a client's word about its own address is worth nothing.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)

# Language, time, files ----------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / ".data" / "static")))
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# A thousand selected rows, and what else stands in their form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1100
DATA_UPLOAD_MAX_NUMBER_FILES = 2

# Outgoing mail ------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
# Seconds of silence after which a mail server is given up.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="no-reply@localhost")

# Headers ------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Said over HTTPS only; 0 while an installation is being moved. Other hosts of the domain are not ours.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600)
if ALLAUTH_TRUSTED_PROXY_COUNT:
    # The proxies in front of us say so, and take this header away from everybody else.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_COOKIE_HTTPONLY = True
SILENCED_SYSTEM_CHECKS = [
    # HSTS for subdomains and the browsers' own list: the domain's owner decides.
    "security.W005",
    "security.W021",
    # A redirect in the wrong place loses webhooks (contract §13.4): the proxy redirects people.
    "security.W008",
]

# Celery: the row in PostgreSQL is the truth, the broker only rings ---------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT, CELERY_TASK_SOFT_TIME_LIMIT = 1800, 1740
# Longer than the longest task, else the broker hands a running task out again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 30,
    "socket_keepalive": True,
}
# A dead broker must not keep a person waiting: the sweeper rings later.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker that gave up would leave everything to lie after a long night without a broker.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 10
CELERY_BEAT_SCHEDULER = "merchant.beat:Scheduler"
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
CELERY_TASK_IGNORE_RESULT = True
# Never: merchant.celery closes lines to the database when they are old or broken, as for requests. A new one
# for every task, which is Celery's way, costs PostgreSQL several times what most tasks cost it.
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Each must be served by a worker; those of the Procfile share none that could starve another.
QUEUES = ("money", "inbox", "sync", "exports", "mail", "celery")
CELERY_TASK_ROUTES = {
    "fulfillment.tasks.run_action": {"queue": "money"},
    "fulfillment.tasks.settle_action": {"queue": "money"},
    "fulfillment.tasks.process_webhook": {"queue": "inbox"},
    # Other people's servers may be slow: not in the way of refunds.
    "fulfillment.tasks.call_server": {"queue": "celery"},
    "fulfillment.tasks.send_message": {"queue": "mail"},
    "transactions.tasks.make_export": {"queue": "exports"},
    "transactions.tasks.send_schedule_mail": {"queue": "mail"},
    "transactions.tasks.*": {"queue": "sync"},
    # Long, and nobody waits for it.
    "merchant.tasks.verify_audit": {"queue": "exports"},
    "merchant.tasks.drop_ended_sessions": {"queue": "exports"},
    "fulfillment.tasks.drop_what_is_old": {"queue": "exports"},
    "fulfillment.tasks.drop_old_texts": {"queue": "exports"},
    "merchant.tasks.*": {"queue": "mail"},
    "fulfillment.tasks.*": {"queue": "money"},
}

# Seeing it run -------------------------------------------------------------------------------------
# Who may read /metrics: whoever knows the token, and these addresses or networks. Without either nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_ADDRESSES = env.list("METRICS_ADDRESSES", default=[])
# Both are off without an address, and need requirements-monitoring.txt.
SENTRY_DSN = env.str("SENTRY_DSN", default="")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")

# Logging: one line of JSON per event, with request, task and user ids ------------------------------
DJANGO_STRUCTLOG_CELERY_ENABLED = True
_SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            # Masked at the very end: nothing is added after that.
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                logged.processor,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": [*_SHARED_PROCESSORS, structlog.processors.format_exc_info],
        }
    },
    "filters": {"masked": {"()": logged.Filter}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["masked"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Each task has its two lines already, with its ids.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "fontTools": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED_PROCESSORS,
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
