"""The catalogue: every condition, section and component as data, and the Python that reads and explains them."""
