"""The maximum-margin student: its equations, and the solver that fits them."""
