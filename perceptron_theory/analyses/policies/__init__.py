"""Which examples to keep, when the rule itself is free."""
