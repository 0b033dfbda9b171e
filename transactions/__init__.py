"""What happened: a mirror of PaySuper's orders and every way to look at it."""
