"""How a running installation is: whether its parts answer, and figures of its work."""
