"""A local Shopify: many shops on one port, speaking the real schema's subset."""
