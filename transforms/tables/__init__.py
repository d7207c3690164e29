"""Raw tables to canonical ones: mapped, converted, checked, rejected."""
