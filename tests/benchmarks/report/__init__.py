"""What is made of what was measured: the table, the plots, and whether anything got worse."""
