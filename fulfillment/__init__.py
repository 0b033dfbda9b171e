"""What we do about it: fulfil, refund, and the inbox of PaySuper's webhooks."""
