"""What staff fills in."""

from fulfillment.forms.batching import BatchForm, RefundBatchForm
from fulfillment.forms.fulfilling import FulfilForm, FulfilmentRuleForm, QueueForm, UnfulfilForm, WithdrawForm
from fulfillment.forms.going_live import BackupForm
from fulfillment.forms.mailing import MailForm, MailRuleForm
from fulfillment.forms.privacy import CustomerForm, ErasureForm, RetentionForm
from fulfillment.forms.refunding import REASONS, DecisionForm, RefundForm, RefundRulesForm
from fulfillment.forms.replacing import ReplaceKeyForm
from fulfillment.forms.returning import ReturnPageForm
from fulfillment.forms.trying import TestPaymentForm

__all__ = [
    "REASONS",
    "BackupForm",
    "BatchForm",
    "CustomerForm",
    "DecisionForm",
    "ErasureForm",
    "FulfilForm",
    "FulfilmentRuleForm",
    "MailForm",
    "MailRuleForm",
    "QueueForm",
    "RefundBatchForm",
    "RefundForm",
    "RefundRulesForm",
    "ReplaceKeyForm",
    "RetentionForm",
    "ReturnPageForm",
    "TestPaymentForm",
    "UnfulfilForm",
    "WithdrawForm",
]
