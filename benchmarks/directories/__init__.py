"""From directories and SCIM services, beside other clients."""
