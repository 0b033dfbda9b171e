"""Addresses of what is done, and of the inbox."""

from django.urls import path

from fulfillment import views, webhooks

app_name = "fulfillment"
urlpatterns = [
    path("to-fulfil/", views.to_fulfil, name="queue"),
    path("transactions/<uuid:uuid>/claim/", views.claim, name="claim"),
    path("transactions/<uuid:uuid>/release/", views.release, name="release"),
    path("transactions/<uuid:uuid>/fulfil/", views.fulfil, name="fulfil"),
    path("transactions/<uuid:uuid>/unfulfil/", views.unfulfil, name="unfulfil"),
    path("transactions/<uuid:uuid>/withdraw/", views.withdraw, name="withdraw"),
    path("transactions/<uuid:uuid>/restore/", views.restore, name="restore"),
    path("transactions/<uuid:uuid>/refund/", views.refund, name="refund"),
    path("transactions/<uuid:uuid>/state/", views.state, name="state"),
    path("transactions/<uuid:uuid>/mail/", views.mail, name="mail"),
    path("settings/projects/<slug:project_id>/mail/", views.project_mail, name="project_mail"),
    path("receipts/<str:token>/", views.receipt, name="receipt"),
    path("receipts/<str:token>/logo/", views.receipt_logo, name="receipt_logo"),
    path("messages/<int:message_id>/", views.message, name="message"),
    path("messages/<int:message_id>/body/", views.message_body, name="message_body"),
    path("actions/<int:action_id>/undo/", views.undo, name="undo"),
    path("actions/<int:action_id>/decide/", views.decide, name="decide"),
    path("actions/<int:action_id>/check/", views.check, name="check"),
    path("actions/<int:action_id>/close/", views.close, name="close"),
    path(
        "settings/projects/<slug:project_id>/fulfilment/", views.project_fulfilment, name="project_fulfilment"
    ),
    path("settings/projects/<slug:project_id>/fulfilment/secret/", views.server_secret, name="secret"),
    path("server-calls/<int:call_id>/", views.server_call, name="server_call"),
    path("server-calls/<int:call_id>/resend/", views.resend, name="resend"),
    path("refunds/", views.refund_list, name="refunds"),
    path("settings/retention/", views.retention_rules, name="retention"),
    path("settings/erase-customer/", views.erase_customer, name="erase_customer"),
    path("settings/refunds/", views.refund_rules, name="refund_rules"),
    path("transactions/bulk/fulfil/", views.select_to_fulfil, name="select_to_fulfil"),
    path("transactions/bulk/refund/", views.select_to_refund, name="select_to_refund"),
    path("batches/", views.batch_list, name="batches"),
    path("batches/<uuid:batch_id>/", views.batch, name="batch"),
    path("batches/<uuid:batch_id>/confirm/", views.confirm_batch, name="confirm_batch"),
    path("batches/<uuid:batch_id>/download/", views.download_batch, name="download_batch"),
    path("webhooks/", views.webhook_list, name="webhooks"),
    path("webhooks/replay/", views.replay_unsettled, name="replay_unsettled"),
    path("webhooks/refused/", views.refused_list, name="refused"),
    path("webhooks/signature/", views.webhook_clinic, name="clinic"),
    path("webhooks/<int:event_id>/", views.webhook, name="webhook"),
    path("webhooks/<int:event_id>/replay/", views.replay, name="replay"),
    path("settings/projects/", views.project_list, name="projects"),
    path("settings/projects/read/", views.read_projects_now, name="read_projects"),
    path("settings/projects/<slug:project_id>/", views.project_webhooks, name="project"),
    path("settings/projects/<slug:project_id>/secret/", views.project_secret, name="project_secret"),
    path(
        "settings/projects/<slug:project_id>/secret/end/", views.project_secret_end, name="project_secret_end"
    ),
    path("settings/projects/<slug:project_id>/webhooks/", views.project_switches, name="project_switches"),
    path("settings/projects/<slug:project_id>/test/", views.project_test, name="project_test"),
    path("settings/projects/<slug:project_id>/pages/", views.project_pages, name="project_pages"),
    path("messages/", views.message_list, name="messages"),
    path("settings/going-live/", views.going_live, name="going_live"),
    path("settings/testing/", views.test_checkout, name="test_checkout"),
    path("settings/testing/<int:test_id>/", views.test_payment, name="test_payment"),
    path("thanks/<slug:project_id>/logo/", views.return_logo, name="return_logo"),
    path("thanks/<slug:project_id>/", views.thanks, name="thanks"),
    path("thanks/<slug:project_id>/<str:token>/", views.thanks, name="thanks"),
    path("sorry/<slug:project_id>/", views.sorry, name="sorry"),
    path("sorry/<slug:project_id>/<str:token>/", views.sorry, name="sorry"),
    path("operations/", views.operations, name="operations"),
    path("metrics", views.metrics, name="metrics"),
    path("webhooks/paysuper/<slug:project_id>/", webhooks.receive, name="receive"),
    # The address is pasted by hand: without its last slash it must not become a redirect.
    path("webhooks/paysuper/<slug:project_id>", webhooks.receive),
]
