"""Students trained to a certificate on a finite set of examples."""
