"""One folder per student: its equations and what solves them."""
