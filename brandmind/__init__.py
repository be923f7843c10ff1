"""BrandMind: the command centre of a Shopify merchant."""
