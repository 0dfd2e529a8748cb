"""The company's brand and portrait styles: what HR sets, and the look that an image model learns of it."""
