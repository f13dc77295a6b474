"""Documents: values to PDF. What is printed, sealed, carried and filed."""
