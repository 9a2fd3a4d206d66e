"""A local page to move through the theory: sliders, graphs, one sentence; needs the extra "explore"."""
