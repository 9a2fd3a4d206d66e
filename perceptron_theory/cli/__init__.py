"""The command line: parses, calls one function, writes a table."""
