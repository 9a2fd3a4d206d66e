"""From scores to the list of examples to keep: rules over ranks, class balance, files for the tools that train."""
