"""A local stand-in for the Lumos API: `sandbox.app` makes it, `sandbox.server` serves it."""
