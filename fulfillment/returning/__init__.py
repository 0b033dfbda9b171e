"""What customers see when they come back from paying.

PaySuper's redirect tells nothing: it goes to an address of the project, or of the order, and nothing is added
to it. So the shop's server invents a token, puts it into the address and into the order's metadata; the
webhook brings the metadata, signed, and from then on whoever has the token sees the order. A token that is
not known and one whose webhook has not come yet look the same.
"""

from fulfillment.returning.pages import Shown, shown
from fulfillment.returning.speaking import spoken
from fulfillment.returning.tokens import METADATA, forget, is_token, note, order_of

__all__ = ["METADATA", "Shown", "forget", "is_token", "note", "order_of", "shown", "spoken"]
