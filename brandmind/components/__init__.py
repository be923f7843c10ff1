"""What pages are made of: pieces that draw views."""
