"""What the pages show, as plain values: made from documents, records and policies, without HTML and without a clock."""
