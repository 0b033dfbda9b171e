"""Who reaches which address, as one table. An address that is not in it fails a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from fulfillment.forms import REASONS
from fulfillment.models import (
    Action,
    Batch,
    Claim,
    FulfilmentRule,
    KeyReplacement,
    MailRule,
    Message,
    ReceiptPage,
    ReturnPage,
    ServerCall,
    TestPayment,
    WebhookEvent,
)
from merchant import invitations, mailing, pulse, setup
from merchant.models import Merchant, Project, User
from merchant.paysuper.sandbox import Sandbox
from merchant.settings import QUEUES
from tests.conftest import HARBOUR, PASSWORD, Person, signed_in
from tests.fulfillment.desk import Desk, mirrored_order
from tests.merchant.sandbox_client import client
from tests.transactions.schedules import daily
from transactions.models import Export, Note, SavedView, ScheduleMail, ScheduleRun, Transaction

WHO = ("owner", "developer", "accounting", "support", "view_only", "stranger", "nobody", "anonymous")
# The stranger owns another merchant, nobody has an account but no membership, `login` is the way to it.
TABLE = r"""
/                                       GET    200  200  200  200  200   200  403  login
/                                       POST   405  405  405  405  405   405  405  login
/transactions/                          GET    200  200  200  200  200   200  403  login
/transactions/                          POST   405  405  405  405  405   405  405  login
/transactions/figures/                  GET    200  200  200  200  200   200  403  login
/transactions/figures/                  POST   405  405  405  405  405   405  405  login
/transactions/display/                  GET    200  200  200  200  200   200  403  login
/transactions/display/                  POST   302  302  302  302  302   302  403  login
/transactions/newer/                    GET    200  200  200  200  200   200  403  login
/transactions/newer/                    POST   405  405  405  405  405   405  405  login
/transactions/views/                    GET    200  200  200  200  200   200  403  login
/transactions/views/                    POST   302  302  302  302  302   302  403  login
/transactions/views/<int:view_id>/      GET    405  405  405  405  405   405  405  login
/transactions/views/<int:view_id>/      POST   302  302  302  302  403   404  403  login
/transactions/views/<int:view_id>/default/  GET   405  405  405  405  405   405  405  login
/transactions/views/<int:view_id>/default/  POST  302  302  302  302  302   404  403  login
/transactions/views/<int:view_id>/delete/  GET    405  405  405  405  405   405  405  login
/transactions/views/<int:view_id>/delete/  POST   302  302  302  302  403   404  403  login
/transactions/<uuid:uuid>/              GET    200  200  200  200  200   404  403  login
/transactions/<uuid:uuid>/              POST   405  405  405  405  405   405  405  login
/transactions/<uuid:uuid>/state/        GET    200  200  200  200  200   404  403  login
/transactions/<uuid:uuid>/state/        POST   405  405  405  405  405   405  405  login
/transactions/<uuid:uuid>/receipt/      GET    200  200  200  200  200   404  403  login
/transactions/<uuid:uuid>/receipt/      POST   405  405  405  405  405   405  405  login
/to-fulfil/                             GET    200  200  403  200  403   200  403  login
/to-fulfil/                             POST   405  405  405  405  405   405  405  login
/transactions/<uuid:uuid>/claim/        GET    405  405  405  405  405   405  405  login
/transactions/<uuid:uuid>/claim/        POST   302  302  403  302  403   404  403  login
/transactions/<uuid:uuid>/release/      GET    405  405  405  405  405   405  405  login
/transactions/<uuid:uuid>/release/      POST   302  302  403  302  403   404  403  login
/transactions/<uuid:uuid>/withdraw/     GET    200  200  403  200  403   404  403  login
/transactions/<uuid:uuid>/withdraw/     POST   302  302  403  302  403   404  403  login
/transactions/<uuid:uuid>/restore/      GET    200  200  403  200  403   404  403  login
/transactions/<uuid:uuid>/restore/      POST   302  302  403  302  403   404  403  login
/transactions/<uuid:uuid>/fulfil/       GET    200  200  403  200  403   404  403  login
/transactions/<uuid:uuid>/fulfil/       POST   302  302  403  302  403   404  403  login
/transactions/<uuid:uuid>/unfulfil/     GET    200  200  403  200  403   404  403  login
/transactions/<uuid:uuid>/unfulfil/     POST   302  302  403  302  403   404  403  login
/transactions/<uuid:uuid>/replace-key/  GET    200  200  403  403  403   404  403  login
/transactions/<uuid:uuid>/replace-key/  POST   200  200  403  403  403   404  403  login
/transactions/<uuid:uuid>/refund/       GET    200  200  403  200  403   404  403  login
/transactions/<uuid:uuid>/refund/       POST   200  200  403  200  403   404  403  login
/transactions/bulk/fulfil/              GET    302  302  403  302  403   302  403  login
/transactions/bulk/fulfil/              POST   302  302  403  302  403   302  403  login
/transactions/bulk/refund/              GET    302  302  403  302  403   302  403  login
/transactions/bulk/refund/              POST   302  302  403  302  403   302  403  login
/transactions/bulk/export/              GET    302  302  302  302  403   302  403  login
/transactions/bulk/export/              POST   302  302  302  302  403   302  403  login
/batches/                               GET    200  200  200  200  200   200  403  login
/batches/                               POST   405  405  405  405  405   405  405  login
/batches/<uuid:batch_id>/               GET    200  200  200  200  200   404  403  login
/batches/<uuid:batch_id>/               POST   405  405  405  405  405   405  405  login
/batches/<uuid:batch_id>/confirm/       GET    405  405  405  405  405   405  405  login
/batches/<uuid:batch_id>/confirm/       POST   302  302  403  302  403   404  403  login
/batches/<uuid:batch_id>/download/      GET    200  200  200  200  403   404  403  login
/batches/<uuid:batch_id>/download/      POST   405  405  405  405  405   405  405  login
/transactions/<uuid:uuid>/notes/        GET    405  405  405  405  405   405  405  login
/transactions/<uuid:uuid>/notes/        POST   302  302  302  302  403   404  403  login
/transactions/<uuid:uuid>/notes/<int:note_id>/delete/     GET    405 405 405 405 405  405 405 login
/transactions/<uuid:uuid>/notes/<int:note_id>/delete/     POST   302 404 404 404 403  404 403 login
/transactions/<uuid:uuid>/items/<int:position>/key/       GET    405 405 405 405 405  405 405 login
/transactions/<uuid:uuid>/items/<int:position>/key/       POST   200 200 403 200 403  404 403 login
/actions/<int:action_id>/close/         GET    405  405  405  405  405   405  405  login
/actions/<int:action_id>/close/         POST   302  302  403  302  403   404  403  login
/actions/<int:action_id>/undo/          GET    405  405  405  405  405   405  405  login
/actions/<int:action_id>/undo/          POST   302  302  403  302  403   404  403  login
/actions/<int:action_id>/decide/        GET    200  200  403  403  403   404  403  login
/actions/<int:action_id>/decide/        POST   302  302  403  403  403   404  403  login
/actions/<int:action_id>/check/         GET    405  405  405  405  405   405  405  login
/actions/<int:action_id>/check/         POST   302  302  403  302  403   404  403  login
/refunds/                               GET    200  200  200  200  200   200  403  login
/refunds/                               POST   405  405  405  405  405   405  405  login
/exports/                               GET    200  200  200  200  403   200  403  login
/exports/                               POST   302  302  302  302  403   302  403  login
/exports/<uuid:export_id>/              GET    200  200  200  200  403   404  403  login
/exports/<uuid:export_id>/              POST   405  405  405  405  405   405  405  login
/exports/<uuid:export_id>/download/     GET    200  200  403  200  403   404  403  login
/exports/<uuid:export_id>/download/     POST   405  405  405  405  405   405  405  login
/exports/<uuid:export_id>/cancel/       GET    405  405  405  405  405   405  405  login
/exports/<uuid:export_id>/cancel/       POST   302  302  302  302  403   404  403  login
/exports/<uuid:export_id>/again/        GET    405  405  405  405  405   405  405  login
/exports/<uuid:export_id>/again/        POST   302  302  403  302  403   404  403  login
/exports/<uuid:export_id>/notes/        GET    200  200  200  200  403   404  403  login
/exports/<uuid:export_id>/notes/        POST   405  405  405  405  405   405  405  login
/exports/verify/                        GET    405  405  405  405  405   405  405  login
/exports/verify/                        POST   302  302  302  302  403   302  403  login
/exports/schedules/                     GET    200  200  200  200  403   200  403  login
/exports/schedules/                     POST   405  405  405  405  405   405  405  login
/exports/schedules/new/                 GET    200  200  200  200  403   200  403  login
/exports/schedules/new/                 POST   200  200  200  200  403   200  403  login
/exports/schedules/<int:schedule_id>/           GET    200  200  200  200  403   404  403  login
/exports/schedules/<int:schedule_id>/           POST   405  405  405  405  405   405  405  login
/exports/schedules/<int:schedule_id>/edit/      GET    200  200  200  200  403   404  403  login
/exports/schedules/<int:schedule_id>/edit/      POST   200  200  200  200  403   404  403  login
/exports/schedules/<int:schedule_id>/run/       GET    405  405  405  405  405   405  405  login
/exports/schedules/<int:schedule_id>/run/       POST   302  302  302  302  403   404  403  login
/exports/schedules/<int:schedule_id>/pause/     GET    405  405  405  405  405   405  405  login
/exports/schedules/<int:schedule_id>/pause/     POST   302  302  302  302  403   404  403  login
/exports/schedules/mails/<int:mail_id>/again/   GET    405  405  405  405  405   405  405  login
/exports/schedules/mails/<int:mail_id>/again/   POST   302  302  302  302  403   404  403  login
/exports/schedules/<int:schedule_id>/delete/    GET    405  405  405  405  405   405  405  login
/exports/schedules/<int:schedule_id>/delete/    POST   302  302  302  302  403   404  403  login
/exports/recipes/                       GET    200  200  200  200  403   200  403  login
/exports/recipes/                       POST   302  302  302  302  403   302  403  login
/exports/recipes/delete/                GET    405  405  405  405  405   405  405  login
/exports/recipes/delete/                POST   302  302  302  302  403   302  403  login
/transactions/<uuid:uuid>/mail/         GET    200  200  403  200  403   404  403  login
/transactions/<uuid:uuid>/mail/         POST   302  302  403  302  403   404  403  login
/messages/<int:message_id>/             GET    200  200  200  200  200   404  403  login
/messages/<int:message_id>/             POST   405  405  405  405  405   405  405  login
/messages/<int:message_id>/body/        GET    200  200  403  200  403   404  403  login
/messages/<int:message_id>/body/        POST   405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/mail/                GET    200  200  403  403  403   404  403  login
/settings/projects/<slug:project_id>/mail/                POST   302  302  403  403  403   404  403  login
/settings/projects/<slug:project_id>/fulfilment/          GET    200  200  403  403  403   404  403  login
/settings/projects/<slug:project_id>/fulfilment/          POST   302  302  403  403  403   404  403  login
/settings/projects/<slug:project_id>/fulfilment/secret/   GET    405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/fulfilment/secret/   POST   302  302  403  403  403   404  403  login
/server-calls/<int:call_id>/            GET    200  200  403  200  403   404  403  login
/server-calls/<int:call_id>/            POST   405  405  405  405  405   405  405  login
/server-calls/<int:call_id>/resend/     GET    405  405  405  405  405   405  405  login
/server-calls/<int:call_id>/resend/     POST   302  302  403  302  403   404  403  login
/webhooks/                              GET    200  200  403  200  403   200  403  login
/webhooks/                              POST   405  405  405  405  405   405  405  login
/webhooks/<int:event_id>/               GET    200  200  403  200  403   404  403  login
/webhooks/<int:event_id>/               POST   405  405  405  405  405   405  405  login
/webhooks/replay/                       GET    405  405  405  405  405   405  405  login
/webhooks/replay/                       POST   302  302  403  403  403   302  403  login
/webhooks/refused/                      GET    200  200  403  200  403   200  403  login
/webhooks/refused/                      POST   405  405  405  405  405   405  405  login
/webhooks/signature/                    GET    200  200  403  403  403   200  403  login
/webhooks/signature/                    POST   200  200  403  403  403   200  403  login
/webhooks/<int:event_id>/replay/        GET    405  405  405  405  405   405  405  login
/webhooks/<int:event_id>/replay/        POST   302  302  403  403  403   404  403  login
/team/                                  GET    200  200  200  200  403   200  403  login
/team/                                  POST   405  405  405  405  405   405  405  login
/team/rights/                           GET    200  200  200  200  200   200  403  login
/team/rights/                           POST   405  405  405  405  405   405  405  login
/team/invite/                           GET    200  403  403  403  403   200  403  login
/team/invite/                           POST   302  403  403  403  403   302  403  login
/team/invitations/<int:invitation_id>/resend/ GET    405  405  405  405  405   405  405  login
/team/invitations/<int:invitation_id>/resend/ POST   302  403  403  403  403   404  403  login
/team/invitations/<int:invitation_id>/revoke/ GET    405  405  405  405  405   405  405  login
/team/invitations/<int:invitation_id>/revoke/ POST   302  403  403  403  403   404  403  login
/team/<int:membership_id>/              GET    200  403  403  403  403   404  403  login
/team/<int:membership_id>/              POST   302  403  403  403  403   404  403  login
/team/<int:membership_id>/deactivate/   GET    405  405  405  405  405   405  405  login
/team/<int:membership_id>/deactivate/   POST   302  403  403  403  403   404  403  login
/team/<int:membership_id>/let-back-in/  GET    405  405  405  405  405   405  405  login
/team/<int:membership_id>/let-back-in/  POST   302  403  403  403  403   404  403  login
/account/                               GET    200  200  200  200  200   200  200  login
/account/                               POST   405  405  405  405  405   405  405  login
/account/merchant/                      GET    405  405  405  405  405   405  405  login
/account/merchant/                      POST   302  302  302  302  302   302  302  login
/account/leave/                         GET    200  200  200  200  200   200  403  login
/account/leave/                         POST   302  302  302  302  302   302  403  login
/team/second-factor/                            GET    200  403  403  403  403   200  403  login
/team/second-factor/                            POST   302  403  403  403  403   302  403  login
/account/sessions/                              GET    200  200  200  200  200   200  200  login
/account/sessions/                              POST   405  405  405  405  405   405  405  login
/account/sessions/end-others/                   GET    405  405  405  405  405   405  405  login
/account/sessions/end-others/                   POST   302  302  302  302  302   302  302  login
/account/sessions/<int:session_id>/end/         GET    405  405  405  405  405   405  405  login
/account/sessions/<int:session_id>/end/         POST   404  404  404  404  404   404  404  login
/settings/                              GET    200  200  403  403  403   200  403  login
/settings/                              POST   405  405  405  405  405   405  405  login
/settings/projects/                     GET    200  200  200  200  200   200  403  login
/settings/projects/                     POST   405  405  405  405  405   405  405  login
/settings/projects/read/                GET    405  405  405  405  405   405  405  login
/settings/projects/read/                POST   302  302  302  302  403   302  403  login
/settings/projects/<slug:project_id>/   GET    200  200  200  200  200   404  403  login
/audit/                                 GET    200  403  403  403  403   200  403  login
/audit/                                 POST   405  405  405  405  405   405  405  login
/audit/export/                          GET    200  403  403  403  403   200  403  login
/audit/export/                          POST   405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/   POST   405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/pages/ GET     200  200  200  200  200   404  403  login
/settings/projects/<slug:project_id>/pages/ POST    302  302  403  403  403   404  403  login
/messages/                              GET    200  200  200  200  200   200  403  login
/messages/                              POST   405  405  405  405  405   405  405  login
/settings/going-live/                   GET    200  200  403  403  403   200  403  login
/settings/going-live/                   POST   302  302  403  403  403   302  403  login
/settings/testing/                      GET    200  200  200  200  403   200  403  login
/settings/testing/                      POST   302  302  302  302  403   302  403  login
/settings/testing/<int:test_id>/        GET    200  200  200  200  403   404  403  login
/settings/testing/<int:test_id>/        POST   405  405  405  405  405   405  405  login
/thanks/<slug:project_id>/logo/         GET    200  200  200  200  200   200  200  200
/thanks/<slug:project_id>/logo/         POST   405  405  405  405  405   405  405  405
/thanks/<slug:project_id>/              GET    200  200  200  200  200   200  200  200
/thanks/<slug:project_id>/              POST   405  405  405  405  405   405  405  405
/thanks/<slug:project_id>/<str:token>/  GET    200  200  200  200  200   200  200  200
/thanks/<slug:project_id>/<str:token>/  POST   405  405  405  405  405   405  405  405
/sorry/<slug:project_id>/               GET    200  200  200  200  200   200  200  200
/sorry/<slug:project_id>/               POST   405  405  405  405  405   405  405  405
/sorry/<slug:project_id>/<str:token>/   GET    200  200  200  200  200   200  200  200
/sorry/<slug:project_id>/<str:token>/   POST   405  405  405  405  405   405  405  405
/settings/projects/<slug:project_id>/secret/ GET    405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/secret/ POST   302  302  403  403  403   404  403  login
/settings/projects/<slug:project_id>/secret/end/ GET    405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/secret/end/ POST   302  302  403  403  403   404  403  login
/settings/projects/<slug:project_id>/webhooks/ GET    405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/webhooks/ POST   302  302  403  403  403   404  403  login
/settings/projects/<slug:project_id>/test/ GET    405  405  405  405  405   405  405  login
/settings/projects/<slug:project_id>/test/ POST   302  302  302  302  403   404  403  login
/settings/refunds/                      GET    200  200  403  403  403   200  403  login
/settings/retention/                    GET    200  403  403  403  403   200  403  login
/settings/retention/                    POST   200  403  403  403  403   200  403  login
/settings/erase-customer/               GET    200  403  403  403  403   200  403  login
/settings/erase-customer/               POST   200  403  403  403  403   200  403  login
/settings/refunds/                      POST   302  403  403  403  403   302  403  login
/key-replacements/<int:replacement_id>/check/  GET   405  405  405  405  405   405  405  login
/key-replacements/<int:replacement_id>/check/  POST  302  302  403  403  403   404  403  login
/key-replacements/<int:replacement_id>/close/  GET   405  405  405  405  405   405  405  login
/key-replacements/<int:replacement_id>/close/  POST  302  302  403  403  403   404  403  login

/receipts/<str:token>/                  GET    200  200  200  200  200   200  200  200
/receipts/<str:token>/                  POST   405  405  405  405  405   405  405  405
/receipts/<str:token>/logo/             GET    200  200  200  200  200   200  200  200
/receipts/<str:token>/logo/             POST   405  405  405  405  405   405  405  405
/webhooks/paysuper/<slug:project_id>/   GET    405  405  405  405  405   405  405  405
/webhooks/paysuper/<slug:project_id>/   POST   401  401  401  401  401   401  401  401
/webhooks/paysuper/<slug:project_id>    GET    405  405  405  405  405   405  405  405
/webhooks/paysuper/<slug:project_id>    POST   401  401  401  401  401   401  401  401
/invitation/                            GET    404  404  404  404  404   404  404  404
/invitation/                            POST   404  404  404  404  404   404  404  404
/healthz                                GET    200  200  200  200  200   200  200  200
/healthz                                POST   405  405  405  405  405   405  405  405
/readyz                                 GET    200  200  200  200  200   200  200  200
/readyz                                 POST   405  405  405  405  405   405  405  405
/metrics                                GET    404  404  404  404  404   404  404  404
/metrics                                POST   405  405  405  405  405   405  405  405
/operations/                            GET    200  403  403  403  403   200  403  login
/operations/                            POST   405  405  405  405  405   405  405  login

/accounts/login/                        GET    302  302  302  302  302   302  302  200
/accounts/login/                        POST   302  302  302  302  302   302  302  200
/accounts/logout/                       GET    200  200  200  200  200   200  200  302
/accounts/logout/                       POST   302  302  302  302  302   302  302  302
/accounts/signup/                       GET    302  302  302  302  302   302  302  200
/accounts/signup/                       POST   302  302  302  302  302   302  302  200
/accounts/inactive/                     GET    200  200  200  200  200   200  200  200
/accounts/inactive/                     POST   405  405  405  405  405   405  405  405
/accounts/reauthenticate/               GET    200  200  200  200  200   200  200  login
/accounts/reauthenticate/               POST   200  200  200  200  200   200  200  login
/accounts/email/                        GET    200  200  200  200  200   200  200  login
/accounts/email/                        POST   302  302  302  302  302   302  302  login
/accounts/second-factor/                        GET    200  200  200  200  200   200  200  login
/accounts/second-factor/                        POST   405  405  405  405  405   405  405  login
/accounts/second-factor/authenticate/           GET    302  302  302  302  302   302  302  302
/accounts/second-factor/authenticate/           POST   302  302  302  302  302   302  302  302
/accounts/second-factor/reauthenticate/         GET    302  302  302  302  302   302  302  login
/accounts/second-factor/reauthenticate/         POST   302  302  302  302  302   302  302  login
/accounts/second-factor/totp/activate/          GET    200  200  200  200  200   200  200  login
/accounts/second-factor/totp/activate/          POST   200  200  200  200  200   200  200  login
/accounts/second-factor/totp/deactivate/        GET    404  404  404  404  404   404  404  login
/accounts/second-factor/totp/deactivate/        POST   404  404  404  404  404   404  404  login
/accounts/second-factor/recovery-codes/         GET    404  404  404  404  404   404  404  login
/accounts/second-factor/recovery-codes/         POST   405  405  405  405  405   405  405  login
/accounts/second-factor/recovery-codes/generate/ GET    200  200  200  200  200   200  200  login
/accounts/second-factor/recovery-codes/generate/ POST   200  200  200  200  200   200  200  login
/accounts/second-factor/recovery-codes/download/ GET    404  404  404  404  404   404  404  login
/accounts/second-factor/recovery-codes/download/ POST   404  404  404  404  404   404  404  login
/accounts/second-factor/webauthn/               GET    200  200  200  200  200   200  200  login
/accounts/second-factor/webauthn/               POST   405  405  405  405  405   405  405  login
/accounts/second-factor/webauthn/add/           GET    200  200  200  200  200   200  200  login
/accounts/second-factor/webauthn/add/           POST   200  200  200  200  200   200  200  login
/accounts/second-factor/webauthn/reauthenticate/ GET    302  302  302  302  302   302  302  login
/accounts/second-factor/webauthn/reauthenticate/ POST   302  302  302  302  302   302  302  login
/accounts/second-factor/webauthn/keys/<int:pk>/remove/ GET    404  404  404  404  404   404  404  login
/accounts/second-factor/webauthn/keys/<int:pk>/remove/ POST   404  404  404  404  404   404  404  login
/accounts/second-factor/webauthn/keys/<int:pk>/edit/ GET    404  404  404  404  404   404  404  login
/accounts/second-factor/webauthn/keys/<int:pk>/edit/ POST   404  404  404  404  404   404  404  login
/accounts/second-factor/webauthn/login/         GET    302  302  302  302  302   302  302  302
/accounts/second-factor/webauthn/login/         POST   302  302  302  302  302   302  302  302
/accounts/confirm-email/                GET    200  200  200  200  200   200  200  200
/accounts/confirm-email/                POST   405  405  405  405  405   405  405  405
/accounts/password/change/              GET    200  200  200  200  200   200  200  login
/accounts/password/change/              POST   200  200  200  200  200   200  200  login
/accounts/password/set/                 GET    302  302  302  302  302   302  302  login
/accounts/password/set/                 POST   302  302  302  302  302   302  302  login
/accounts/password/reset/               GET    200  200  200  200  200   200  200  200
/accounts/password/reset/               POST   302  302  302  302  302   302  302  302
/accounts/password/reset/done/          GET    200  200  200  200  200   200  200  200
/accounts/password/reset/done/          POST   405  405  405  405  405   405  405  405
/accounts/password/reset/key/done/      GET    200  200  200  200  200   200  200  200
/accounts/password/reset/key/done/      POST   405  405  405  405  405   405  405  405
/accounts/login/code/confirm/           GET    302  302  302  302  302   302  302  302
/accounts/login/code/confirm/           POST   302  302  302  302  302   302  302  302
/accounts/^confirm-email/(?P<key>[-:\w]+)/$     GET    200  200  200  200  200   200  200  200
/accounts/^confirm-email/(?P<key>[-:\w]+)/$     POST   404  404  404  404  404   404  404  404
/accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$  GET   200 200 200 200 200  200 200 200
/accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$  POST  200 200 200 200 200  200 200 200
"""
ROWS = [line.split() for line in TABLE.splitlines() if line]
EXPECTED = {(pattern, method): dict(zip(WHO, cells, strict=True)) for pattern, method, *cells in ROWS}
ENDS = {
    r"^confirm-email/(?P<key>[-:\w]+)/$": "confirm-email/abc/",
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "password/reset/key/1-abc/",
}


@pytest.fixture
def exports_folder(settings, tmp_path: Path) -> None:
    place = {"location": str(tmp_path), "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "exports": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": place}
    }


@pytest.fixture
def people(lantern: Merchant, copper: Merchant) -> dict[str, User]:
    """One user of every kind but the anonymous one."""
    colleagues = {
        role: setup.add_member(lantern, f"{role}@example.com", PASSWORD, role).user for role in WHO[:5]
    }
    stranger = setup.add_member(copper, "stranger@example.com", PASSWORD, "owner").user
    return colleagues | {
        "stranger": stranger,
        "nobody": User.objects.create_user("nobody@example.com", PASSWORD),
    }


@pytest.fixture
def things(
    people: dict[str, User], exports_folder: None, order: Transaction, harbour: Project
) -> dict[str, object]:
    """What Lantern Works has, by the parts of addresses."""
    mine = {"merchant": order.merchant}
    file_name = storages["exports"].save("list.csv", ContentFile(b"a,b"))
    export = Export.objects.create(
        **mine,
        requested_by=people["owner"],
        format="csv",
        state="ready",
        file_name=file_name,
        sha256="a" * 64,
    )
    now = timezone.now()
    event = {"event": "payment.success", "body": "{}", "last_received_at": now, "try_at": now}
    webhook = WebhookEvent.objects.create(**mine, **event, project=harbour, event_id="a", object_hash="b")
    action = Action.objects.create(
        **mine, transaction=order, kind="refund", state="needs_person", requested_by=people["owner"]
    )
    replacement = KeyReplacement.objects.create(
        **mine, transaction=order, product_id="a", state="needs_person", requested_by=people["owner"]
    )
    body = '{"order": {"items": []}}'
    call = ServerCall.objects.create(
        **mine,
        project=harbour,
        transaction=order,
        event="order.paid",
        body=body,
        try_at=now,
        state="given_up",
    )
    batch = Batch.objects.create(**mine, kind="refund", requested_by=people["owner"], key="a")
    MailRule.objects.create(**mine, project=order.project, logo=b"a picture")
    message = Message.objects.create(
        **mine, project=order.project, transaction=order, kind="payment", key="a", try_at=now
    )
    schedule = daily(order.merchant, people["owner"], people["owner"])
    run = ScheduleRun.objects.create(**mine, schedule=schedule, due_at=now)
    mail_ = ScheduleMail.objects.create(**mine, run=run, user=people["owner"], try_at=now)
    note = Note.objects.create(**mine, transaction=order, text="Called back.", written_by=people["owner"])
    view = SavedView.objects.create(
        **mine, owner=people["owner"], name="Paid", query="status=processed", shared=True
    )
    ReturnPage.objects.create(**mine, project=harbour, is_open=True)
    test = TestPayment.objects.create(
        **mine,
        project=harbour,
        amount=1,
        currency="EUR",
        requested_by=people["owner"],
        return_token="from-the-shop",
    )
    invited = invitations.invite(order.merchant, "invited@example.com", "support", people["owner"])
    # Somebody whom nobody here is, or a role would change while the table is walked.
    left = setup.add_member(order.merchant, "left@example.com", PASSWORD, "support")
    return {
        "<int:view_id>": view.pk,
        "<uuid:uuid>": order.pk,
        "<uuid:batch_id>": batch.pk,
        "<uuid:export_id>": export.pk,
        "<int:event_id>": webhook.pk,
        "<int:action_id>": action.pk,
        "<int:replacement_id>": replacement.pk,
        "<int:call_id>": call.pk,
        "<int:message_id>": message.pk,
        "<str:token>": ReceiptPage.of(order).token,
        "<int:schedule_id>": schedule.pk,
        "<int:mail_id>": mail_.pk,
        "<int:note_id>": note.pk,
        "<int:position>": 0,
        "<slug:project_id>": HARBOUR,
        "<int:pk>": 0,
        "<int:session_id>": 0,
        "<int:test_id>": test.pk,
        "<int:invitation_id>": invited.pk,
        "<int:membership_id>": left.pk,
    } | ENDS


@pytest.fixture
def order(lantern: Merchant, paysuper: Sandbox) -> Transaction:
    """An order of Lantern Works."""
    with client(paysuper) as api:
        return mirrored_order(lantern, Desk(api), kind="key")


def walk(resolver: URLResolver, before: str = "/") -> Iterator[str]:
    for each in resolver.url_patterns:
        here = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from walk(each, here)
        else:
            yield here


def asked(who: str, method: str, pattern: str, people: dict[str, User], things: dict[str, object]) -> str:
    """What this person gets at this address, freshly signed in."""
    if who in people:
        people[who].refresh_from_db()  # one of the addresses ends all sessions
    browser = signed_in(people[who]) if who in people else Browser()
    return asked_by(browser, method, address_of(pattern, things))


def asked_by(browser: Browser, method: str, address: str) -> str:
    """What is answered; forms are sent filled in."""
    send_ = getattr(browser, method.lower())
    pulse.beat(*QUEUES, pulse.BEAT)
    answer = send_(address, FILLED_IN) if method == "POST" else send_(address)
    answer.getvalue()  # a file is closed when it has been read
    return said(answer)


def address_of(pattern: str, things: dict[str, object]) -> str:
    """The address with what the merchant has in its place."""
    for part, thing in things.items():
        pattern = pattern.replace(part, str(thing))
    return pattern


FILLED_IN = {
    "note": "a reason",
    "text": "a remark",
    "format": "csv",
    "reason": REASONS[0],
    "seen_amount": "1.00",
    "seen_currency": "EUR",
    "decision": "reject",
    "undo_seconds": "10",
    "email": "somebody@example.com",
    "password1": PASSWORD,
    "promise_hours": "24",
    "claim_minutes": "15",
    "secret": "a-new-secret",
    "admits_customers": "yes",
    "case": "correct_payment",
    "taken_on": "2026-01-31",
    "place": "the safe",
    "is_open": "on",
    "what": "payment",
    "address": "somebody@example.com",
    "key": "of-this-form",
    "who": "paysuper",
    "role": "support",
}


def said(answer: HttpResponse) -> str:
    if answer.status_code == 302 and answer["Location"].startswith("/accounts/login/?next="):
        return "login"
    return str(answer.status_code)


def test_every_address_is_in_the_table() -> None:
    assert {pattern for pattern, _ in EXPECTED} == set(walk(get_resolver()))
    assert {method for _, method in EXPECTED} == {"GET", "POST"}
    assert len(EXPECTED) == len(ROWS) == 2 * len(set(walk(get_resolver())))


@pytest.mark.parametrize("who", WHO)
def test_everybody_reaches_what_the_table_says_and_nothing_else(
    who: str, people: dict[str, User], things: dict[str, object]
) -> None:
    wanted = {key: cells[who] for key, cells in EXPECTED.items()}
    # One browser looks at everything; whoever does something has just signed in.
    browser = signed_in(people[who]) if who in people else Browser()
    found = {
        (pattern, method): asked_by(browser, method, address_of(pattern, things))
        if method == "GET"
        else asked(who, method, pattern, people, things)
        for pattern, method in sorted(EXPECTED, key=lambda key: key[1])
    }
    assert {key: found[key] for key in found if found[key] != wanted[key]} == {}


def test_only_receipts_webhooks_health_and_the_way_in_are_open_to_the_anonymous() -> None:
    opened = {pattern for (pattern, _), cells in EXPECTED.items() if cells["anonymous"] != "login"}
    closed = {pattern for pattern in opened if not pattern.startswith("/accounts/")}
    assert closed == {
        "/receipts/<str:token>/",
        "/receipts/<str:token>/logo/",
        "/webhooks/paysuper/<slug:project_id>/",
        "/webhooks/paysuper/<slug:project_id>",
        "/thanks/<slug:project_id>/",
        "/thanks/<slug:project_id>/logo/",
        "/thanks/<slug:project_id>/<str:token>/",
        "/sorry/<slug:project_id>/",
        "/sorry/<slug:project_id>/<str:token>/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/invitation/",
    }


def test_who_may_not_does_not(people: dict[str, User], things: dict[str, object]) -> None:
    for who in ("accounting", "view_only", "stranger", "nobody", "anonymous"):
        for verb in ("fulfil", "unfulfil", "refund", "claim", "withdraw", "restore"):
            asked(who, "POST", f"/transactions/<uuid:uuid>/{verb}/", people, things)
        asked(who, "POST", "/settings/projects/<slug:project_id>/fulfilment/", people, things)
        asked(who, "POST", "/server-calls/<int:call_id>/resend/", people, things)
        for verb in ("close", "undo", "decide"):
            asked(who, "POST", f"/actions/<int:action_id>/{verb}/", people, things)
        asked(who, "POST", "/settings/refunds/", people, things)
    action = Action.objects.get()
    assert (action.state, action.transaction.fulfilment) == ("needs_person", "unfulfilled")
    assert not Claim.objects.exists()
    assert not FulfilmentRule.objects.exists()
    assert ServerCall.objects.get().state == "given_up"


def test_nobody_signs_up(db: None) -> None:
    page = Browser().post("/accounts/signup/", {"email": "new@example.com", "password1": PASSWORD})
    assert page.status_code == 200
    assert not User.objects.exists()


def test_a_forgotten_password_tells_nobody_which_addresses_are_known(ann: Person) -> None:
    answers = [
        Browser().post("/accounts/password/reset/", {"email": f"{name}@example.com"})
        for name in ("ann", "never-heard-of")
    ]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    for mail_id in mailing.due():
        mailing.send(mail_id)
    assert "ann@example.com" in {address for message in mail.outbox for address in message.to}


def test_a_form_without_its_token_is_turned_away(ben: Person, order: Transaction) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(ben.membership.user)
    assert browser.post(f"/transactions/{order.pk}/refund/", FILLED_IN).status_code == 403


def test_the_choice_of_a_foreign_merchant_in_the_session_is_not_believed(ben: Person, cleo: Person) -> None:
    session = ben.browser.session
    session["merchant"] = cleo.membership.merchant_id
    session.save()
    foreign = Transaction.objects.filter(merchant=cleo.membership.merchant).first()
    assert ben.browser.get(f"/transactions/{foreign.pk}/").status_code == 404


def test_somebody_who_left_the_team_is_shut_out_at_once(ben: Person) -> None:
    assert ben.browser.get("/transactions/").status_code == 200
    ben.membership.delete()
    assert ben.browser.get("/transactions/").status_code == 403


def test_a_changed_role_counts_from_the_next_click(ben: Person, order: Transaction) -> None:
    ben.membership.role = "view_only"
    ben.membership.save()
    assert ben.browser.post(f"/transactions/{order.pk}/refund/", FILLED_IN).status_code == 403
