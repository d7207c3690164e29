"""What every run works with: workspace, settings, secrets, stores and locks."""
