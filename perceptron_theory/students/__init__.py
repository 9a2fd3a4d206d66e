"""One student per file: its equations; and the solver that fits them."""
