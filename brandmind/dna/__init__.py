"""What a store is like: twelve strands, a pulse and what they are made of. No I/O, no clock."""
