"""Activity: logs reduced and sent."""
