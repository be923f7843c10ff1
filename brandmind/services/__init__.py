"""What a merchant or an operator can do, one function an act."""
