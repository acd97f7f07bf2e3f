"""Rules of the file: what they declare, and what makes a step an instance of one."""
