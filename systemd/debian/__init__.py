"""What the Debian package is made of beside the program; `scripts/build-deb` puts it together."""
