"""The method `dictionary`: all forms of all names, found by one scan of the text."""
