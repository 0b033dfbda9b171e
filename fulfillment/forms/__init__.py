"""What staff fills in."""

from fulfillment.forms.batching import BatchForm, RefundBatchForm
from fulfillment.forms.fulfilling import FulfilForm, FulfilmentRuleForm, QueueForm, UnfulfilForm, WithdrawForm
from fulfillment.forms.going_live import BackupForm
from fulfillment.forms.mailing import MailForm, MailRuleForm
from fulfillment.forms.refunding import REASONS, DecisionForm, RefundForm, RefundRulesForm
from fulfillment.forms.replacing import ReplaceKeyForm
from fulfillment.forms.returning import ReturnPageForm
from fulfillment.forms.trying import TestPaymentForm

__all__ = [
    "REASONS",
    "BackupForm",
    "BatchForm",
    "DecisionForm",
    "FulfilForm",
    "FulfilmentRuleForm",
    "MailForm",
    "MailRuleForm",
    "QueueForm",
    "RefundBatchForm",
    "RefundForm",
    "RefundRulesForm",
    "ReplaceKeyForm",
    "ReturnPageForm",
    "TestPaymentForm",
    "UnfulfilForm",
    "WithdrawForm",
]
