"""The daemon's life: start, signals, reload, systemd, logs."""
