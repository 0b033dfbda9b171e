"""HTML pages for people: the checkout and the control page. No scripts, nothing from elsewhere."""
