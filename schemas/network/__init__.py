"""Which hosts are this machine, and which proxies can be used."""
