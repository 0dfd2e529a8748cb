"""Documents that prove themselves: made and signed here, read and judged without what makes them."""
