"""What the measures are put together from: what is measured, the same done bare, and clients that listen."""
