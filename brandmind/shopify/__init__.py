"""Everything that speaks Shopify's HTTP and knows its field names."""
