"""The kits: folders with texts for the administrator of a calendar server. Nothing in them is a program."""
