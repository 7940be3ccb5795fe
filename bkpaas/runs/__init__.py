"""One run beside others: what became of a baseline, and of what earlier nights saw."""
