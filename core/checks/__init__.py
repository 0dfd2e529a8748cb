"""What the photo check and the gates answer: frozen values that pages and jobs share, without a model or a picture."""
