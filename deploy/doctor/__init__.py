"""`headshots doctor`: looks at everything that an installation depends on, and says how to mend what is wrong."""
