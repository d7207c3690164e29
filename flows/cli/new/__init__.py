"""The command `new`: a commented source file, proposed from what a source shows."""
