"""Views of the list that people keep."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from merchant.models import Merchant, User

LONGEST_NAME, LONGEST_QUERY = 60, 2000


class SavedView(models.Model):
    """The filters and the order of a list under a name, of one person or shared with the whole merchant.

    `query` is a query of the list's address without a page; a period in it stays relative.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "merchant",
                "owner",
                Lower("name"),
                condition=models.Q(shared=False),
                name="one_own_view_of_a_name",
            ),
            models.UniqueConstraint(
                "merchant", Lower("name"), condition=models.Q(shared=True), name="one_shared_view_of_a_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name
