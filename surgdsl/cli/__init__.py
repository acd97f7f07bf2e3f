"""The command line: one thin file for each command, imported only when that command is called."""
