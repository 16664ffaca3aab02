"""The lab: network namespaces that stand for hosts, and the real programs that run in them."""
