"""What a shop is made of: plain records, money and domains, without I/O."""
