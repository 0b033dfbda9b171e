"""Addresses of what is looked at."""

from django.urls import path

from transactions import views

app_name = "transactions"
urlpatterns = [
    path("", views.home, name="home"),
    path("transactions/", views.transaction_list, name="list"),
    path("transactions/display/", views.display, name="display"),
    path("transactions/figures/", views.list_figures, name="figures"),
    path("transactions/newer/", views.newer_count, name="newer"),
    path("transactions/views/", views.saved_views, name="views"),
    path("transactions/views/<int:view_id>/", views.change_view, name="change_view"),
    path("transactions/views/<int:view_id>/default/", views.default_view, name="default_view"),
    path("transactions/views/<int:view_id>/delete/", views.delete_view, name="delete_view"),
    path("transactions/<uuid:uuid>/", views.transaction_card, name="card"),
    path("transactions/bulk/export/", views.export_selection, name="export_selection"),
    path("transactions/<uuid:uuid>/receipt/", views.transaction_receipt, name="receipt"),
    path("transactions/<uuid:uuid>/notes/", views.add_note, name="add_note"),
    path("transactions/<uuid:uuid>/notes/<int:note_id>/delete/", views.delete_note, name="delete_note"),
    path("transactions/<uuid:uuid>/items/<int:position>/key/", views.show_key, name="show_key"),
    path("exports/", views.export_list, name="exports"),
    path("exports/recipes/", views.export_recipes, name="recipes"),
    path("exports/recipes/delete/", views.delete_recipe, name="delete_recipe"),
    path("exports/schedules/", views.schedule_list, name="schedules"),
    path("exports/schedules/new/", views.new_schedule, name="new_schedule"),
    path("exports/schedules/<int:schedule_id>/", views.schedule_detail, name="schedule"),
    path("exports/schedules/<int:schedule_id>/edit/", views.edit_schedule, name="edit_schedule"),
    path("exports/schedules/<int:schedule_id>/run/", views.run_schedule, name="run_schedule"),
    path("exports/schedules/<int:schedule_id>/pause/", views.pause_schedule, name="pause_schedule"),
    path("exports/schedules/<int:schedule_id>/delete/", views.delete_schedule, name="delete_schedule"),
    path("exports/schedules/mails/<int:mail_id>/again/", views.mail_again, name="mail_again"),
    path("exports/verify/", views.verify_file, name="verify"),
    path("exports/<uuid:export_id>/", views.export_detail, name="export"),
    path("exports/<uuid:export_id>/download/", views.export_download, name="download"),
    path("exports/<uuid:export_id>/notes/", views.export_notes, name="export_notes"),
    path("exports/<uuid:export_id>/cancel/", views.cancel_export, name="cancel_export"),
    path("exports/<uuid:export_id>/again/", views.export_again, name="export_again"),
]
