"""A sync: read, plan, guard, publish, recover."""
