"""One verdict document, one text: a pure function for each format."""
