"""Where the theories, presets and metrics come from, as BibTeX and as one line in the attributes of a dataset."""
