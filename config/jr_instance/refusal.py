class Refused(Exception):
    """A setting that cannot be: names the variable, its value, and what would be right."""
