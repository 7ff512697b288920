"""What the simulated calendar services share: a server on loopback, its messages, and times in words.

It knows no calendar service, and nothing of placed. Only the simulators of the drivers import it.
"""
