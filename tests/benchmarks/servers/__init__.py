"""The other side of what is measured, each in a process of its own and with its answers made beforehand."""
