"""How bytes are laid out."""
