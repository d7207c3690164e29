"""What needs no Lumos: the demonstration, and the local stand-in."""
