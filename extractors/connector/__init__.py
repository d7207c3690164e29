"""Connectors built with Lumos's SDK: asked over loopback HTTP or by command, as Lumos asks them."""
