"""Exports that are made by the clock and sent to colleagues."""

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from merchant.models import Merchant
from transactions import rhythm
from transactions.models.exported import Export
from transactions.models.saved import LONGEST_NAME, LONGEST_QUERY


class Schedule(models.Model):
    """An export that is made again and again at times of the merchant's clock.

    It runs in the name of `owner`, whoever saved it last: with that person's rights. A period in `query`
    stays relative. What was due up to `begun_until` has been begun or is not to be any more.
    """

    class Every(models.TextChoices):
        DAILY = rhythm.DAILY, "Every day"
        WEEKLY = rhythm.WEEKLY, "Every week"
        MONTHLY = rhythm.MONTHLY, "Every month"

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="schedules")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    format = models.CharField(max_length=4, choices=Export.Format.choices)
    layout = models.JSONField(default=dict, blank=True)
    every = models.CharField(max_length=8, choices=Every.choices)
    at = models.TimeField()
    weekday = models.PositiveSmallIntegerField(default=0)
    day = models.PositiveSmallIntegerField(default=1)
    business_days = models.BooleanField(default=False)
    begun_until = models.DateTimeField()
    # Why it rests; "" while it runs.
    paused = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="schedule_weekday"),
            models.CheckConstraint(condition=models.Q(day__gte=1, day__lte=31), name="schedule_day"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rhythm(self) -> rhythm.Rhythm:
        """When it is due."""
        return rhythm.Rhythm(self.every, self.at, self.weekday, self.day, self.business_days)

    @property
    def next_due(self) -> dt.datetime | None:
        """When it will be due next, if nothing changes; None while it rests."""
        return None if self.paused else self.rhythm.next(self.merchant.zone, self.begun_until)


class ScheduleRecipient(models.Model):
    """Somebody who gets the file, as long as that person may export for the merchant."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="recipients")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schedule", "user"], name="one_recipient_of_a_schedule")
        ]

    def __str__(self) -> str:
        return str(self.user)


class ScheduleRun(models.Model):
    """One due moment, or one press of "run now", and the export that was made for it.

    `skipped` are moments that were due before and had passed when this one was begun.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="runs")
    due_at = models.DateTimeField()
    # Who pressed "run now"; nobody for the clock.
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    export = models.OneToOneField(Export, models.SET_NULL, null=True, related_name="run")
    skipped = ArrayField(models.DateTimeField(), default=list, blank=True)
    # When the owner of the schedule was told that there is no file.
    told_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-due_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="one_run_of_a_due_moment")
        ]

    def __str__(self) -> str:
        return f"{self.schedule} {self.due_at:%Y-%m-%d %H:%M}"


class ScheduleMail(models.Model):
    """The mail of one run to one person. It waits for its export, then for its turn."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Not sent"
        DROPPED = "dropped", "Not allowed any more"

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    run = models.ForeignKey(ScheduleRun, models.CASCADE, related_name="mails")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # When the next attempt may begin; while one is made, when it is given up for dead.
    try_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True)
    # When the owner of the schedule was told that it has not gone out.
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["user__email"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "user"], name="one_mail_of_a_run_to_a_person")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["try_at"],
                condition=models.Q(state__in=["waiting", "sending"]),
                name="schedule_mail_to_send",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_state_display()}"
