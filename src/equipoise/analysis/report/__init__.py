"""The report: the study's analysis plan run as data over the analysis datasets, each output by its kind."""
