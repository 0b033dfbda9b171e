"""`make bench`: what the product promises about speed and memory, beside a peer measured in the same run."""
